"""Whom `tandem batch` makes lists for, with the history of each."""

from collections.abc import Iterator

import pyarrow as pa

from components.ingest.output import histories
from schema import timeline
from schema.user_ids import UserIdKey, hash_user_id, load_key

_AT_A_TIME = 8192
Users = tuple[list[str], pa.Table]
"""Names for the output, and the columns of `histories.read_tables` in their order."""


def everybody(histories_uri: str) -> Iterator[Users]:
    """All users that have an event, by the names that the run stores."""
    for table in histories.read_tables(histories_uri, _AT_A_TIME):
        yield table[timeline.USER_ID].to_pylist(), table


def listed(histories_uri: str, names: list[str], place: UserIdKey | None) -> Iterator[Users]:
    """Users by the names that their source has, each of which stands in `names` once.

    `place` of the key where the run hashed them. A user without events comes with nulls.
    """
    key = None if place is None else load_key(place)
    stored = names if key is None else [hash_user_id(name, key) for name in names]
    found = histories.load(histories_uri, pa.array(stored, pa.large_string()))
    for begin in range(0, len(names), _AT_A_TIME):
        yield names[begin : begin + _AT_A_TIME], found.slice(begin, _AT_A_TIME)
