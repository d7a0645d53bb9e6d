"""User ids under a key: the raw id goes no further than the parser."""

import pyarrow as pa

from components.ingest import kinds
from components.ingest.kinds import Converted
from components.ingest.records import Values
from schema import pseudonyms
from schema.pseudonyms import UserIdKey


def identifiers(values: Values, missing: str, place: UserIdKey) -> Converted:
    """As `kinds.identifiers`, each id replaced by its pseudonym. The worker reads the key itself:
    it is no part of what is sent to the workers.
    """
    text, faults = kinds.identifiers(values, missing)
    key = pseudonyms.secret(place)
    encoded = text.dictionary_encode()
    hashed = [pseudonyms.hashed(identifier, key) for identifier in encoded.dictionary.to_pylist()]
    return Converted(pa.array(hashed, pa.large_string()).take(encoded.indices), faults)
