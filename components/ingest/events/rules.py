"""Rules that need more than one record to refuse it: all events of a user, or the catalogue."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.events import log as ordered
from components.ingest.events.splits import DAY
from components.ingest.excerpt import excerpt
from components.ingest.fields.table_spec import ITEM_ID, TIMESTAMP
from components.ingest.rejection import TOO_MANY_EVENTS, UNKNOWN_ITEM
from components.ingest.table_spec import DETAIL, FILE, LINE
from schema.sources import InteractionsSource
from schema.timeline import USER_ID


class Judged(NamedTuple):
    """Ordered events of a shard."""

    kept: pa.Table
    refused: dict[str, pa.Table]
    """By reason."""


def needs_origin(source: InteractionsSource) -> bool:
    """Whether an event may be refused after it was parsed, and so must keep where it came from."""
    late = source.max_events_per_user_and_day is not None or source.stragglers == "reject"
    return needs_catalogue(source) or late or source.format == "sequences"


def needs_catalogue(source: InteractionsSource) -> bool:
    """Whether it matters if an item is known."""
    return source.unknown_item != "keep"


def divide_sequences(events: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Events of each user's first line, and those of later ones, with DETAIL: which of two lines
    comes first, nobody says.

    `events` have ORIGIN, and stand in the order of their files and lines.
    """
    users = events[USER_ID].combine_chunks().dictionary_encode()
    user = users.indices.to_numpy()
    _, first = np.unique(user, return_index=True)
    file = events[FILE].combine_chunks().dictionary_encode().indices.to_numpy()
    line = events[LINE].to_numpy()
    later = (file != file[first][user]) | (line != line[first][user])
    kept, refused = _divide(events, later)
    stands = events.select([USER_ID, FILE, LINE]).take(pa.array(first[user[later]])).to_pydict()
    details = [
        f"user {excerpt(name)} has line {number} of {where} too; write all of a user's items on one"
        for name, where, number in zip(*stands.values(), strict=True)
    ]
    return kept, refused.append_column(DETAIL, pa.array(details, pa.large_string()))


def judge(events: pa.Table, source: InteractionsSource, catalogue: pa.Array | None) -> Judged:
    """Splits `events`, in order and each once, by the rules that are on.

    `catalogue` is large_string [items], read only where `needs_catalogue`. Of a user's day the
    first events are kept.
    """
    refused: dict[str, pa.Table] = {}
    if needs_catalogue(source):
        assert catalogue is not None, "expected the catalogue's ids where unknown items matter"
        events, refused[UNKNOWN_ITEM] = _divide(events, unknown(events, catalogue))
    if source.max_events_per_user_and_day is not None:
        excess = beyond(events, source.max_events_per_user_and_day)
        events, refused[TOO_MANY_EVENTS] = _divide(events, excess)
    return Judged(events, refused)


def unknown(events: pa.Table, catalogue: pa.Array) -> np.ndarray:
    """Events for an item that is not in `catalogue`: bool [events]."""
    known = pc.is_in(events[ITEM_ID].combine_chunks(), value_set=catalogue)
    return ~known.to_numpy(zero_copy_only=False)


def beyond(events: pa.Table, limit: int) -> np.ndarray:
    """Events before which their user has `limit` others on the same day, UTC: bool [events]."""
    days = events[TIMESTAMP].to_numpy() // DAY
    begins = np.zeros(len(days), bool)
    begins[ordered.starts_of_users(events)[:-1]] = True
    begins[1:] |= days[1:] != days[:-1]
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, len(days)))
    return np.arange(len(days)) - np.repeat(starts, lengths) >= limit


def _divide(events: pa.Table, refused: np.ndarray) -> tuple[pa.Table, pa.Table]:
    return events.filter(pa.array(~refused)), events.filter(pa.array(refused))
