"""User ids under a key: the raw id goes no further than the parser."""

import pyarrow as pa

from components.ingest.fields import kinds
from components.ingest.fields.kinds import Converted
from components.ingest.read.records import Values
from schema import user_ids
from schema.user_ids import UserIdKey


def identifiers(values: Values, missing: str, place: UserIdKey) -> Converted:
    """As `kinds.identifiers`, each id replaced by its pseudonym. The worker reads the key itself:
    it is no part of what is sent to the workers.
    """
    text, faults = kinds.identifiers(values, missing)
    key = user_ids.secret(place)
    encoded = text.dictionary_encode()
    hashed = [user_ids.hashed(identifier, key) for identifier in encoded.dictionary.to_pylist()]
    return Converted(pa.array(hashed, pa.large_string()).take(encoded.indices), faults)
