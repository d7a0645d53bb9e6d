"""Rules that need more than one record: unknown items, too many events a day, stragglers.

Stragglers (events far from all others in time) and events that are yet to come are counted and
shown, whether they are rejected or not.
"""

import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.events.log import find_user_starts
from components.ingest.events.splits import DAY
from components.ingest.fields.table_spec import DETAIL, FILE, ITEM_ID, LINE, TIMESTAMP
from components.ingest.output import counts
from components.ingest.read.records import TOO_MANY_EVENTS, UNKNOWN_ITEM, format_excerpt
from schema.bulk import Bulk
from schema.sources import InteractionsSource
from schema.timeline import USER_ID

EARLY_STRAGGLERS = "early_stragglers"
LATE_STRAGGLERS = "late_stragglers"
FUTURE_EVENTS = "future_events"
TIME_OUTLIERS = (EARLY_STRAGGLERS, LATE_STRAGGLERS, FUTURE_EVENTS)


class RuleOutcome(NamedTuple):
    """Ordered events of a shard."""

    kept: pa.Table
    refused: dict[str, pa.Table]
    """By reason."""


def needs_origin(source: InteractionsSource) -> bool:
    """Whether an event may be refused after it was parsed, and so must keep where it came from."""
    late = source.max_events_per_user_and_day is not None or source.time_outliers == "reject"
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
    kept, refused = _split_events(events, later)
    stands = events.select([USER_ID, FILE, LINE]).take(pa.array(first[user[later]])).to_pydict()
    details = [
        f"user {format_excerpt(name)} has line {number} of {where} too; "
        "write all of a user's items on one"
        for name, where, number in zip(*stands.values(), strict=True)
    ]
    return kept, refused.append_column(DETAIL, pa.array(details, pa.large_string()))


def apply_rules(
    events: pa.Table, source: InteractionsSource, catalogue: pa.Array | None
) -> RuleOutcome:
    """Splits `events`, in order and each once, by the rules that are on.

    `catalogue` is large_string [items], read only where `needs_catalogue`. Of a user's day the
    first events are kept.
    """
    refused: dict[str, pa.Table] = {}
    if needs_catalogue(source):
        assert catalogue is not None, "expected the catalogue's ids where unknown items matter"
        events, refused[UNKNOWN_ITEM] = _split_events(events, find_unknown_items(events, catalogue))
    if source.max_events_per_user_and_day is not None:
        excess = find_excess_events(events, source.max_events_per_user_and_day)
        events, refused[TOO_MANY_EVENTS] = _split_events(events, excess)
    return RuleOutcome(events, refused)


def find_unknown_items(events: pa.Table, catalogue: pa.Array) -> np.ndarray:
    """Events for an item that is not in `catalogue`: bool [events]."""
    known = pc.is_in(events[ITEM_ID].combine_chunks(), value_set=catalogue)
    return ~known.to_numpy(zero_copy_only=False)


def find_excess_events(events: pa.Table, limit: int) -> np.ndarray:
    """Events before which their user has `limit` others on the same day, UTC: bool [events]."""
    days = events[TIMESTAMP].to_numpy() // DAY
    begins = np.zeros(len(days), bool)
    begins[find_user_starts(events)[:-1]] = True
    begins[1:] |= days[1:] != days[:-1]
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, len(days)))
    return np.arange(len(days)) - np.repeat(starts, lengths) >= limit


def _split_events(events: pa.Table, refused: np.ndarray) -> tuple[pa.Table, pa.Table]:
    return events.filter(pa.array(~refused)), events.filter(pa.array(refused))


def find_time_outliers(events: pa.Table, bulk: Bulk, now: int) -> dict[str, np.ndarray]:
    """By name, bool [events]: those before and beyond the `bulk`, and those after `now` (seconds
    since epoch, UTC), which may be the same.
    """
    times = events[TIMESTAMP].to_numpy()
    return {
        EARLY_STRAGGLERS: times < bulk.begin,
        LATE_STRAGGLERS: times >= bulk.end,
        FUTURE_EVENTS: times > now,
    }


def describe_events(events: pa.Table) -> list[str]:
    """The first of any events, by time, user and item, as a message names them."""
    columns = (events[name].to_pylist() for name in (TIMESTAMP, USER_ID, ITEM_ID))
    first = sorted(zip(*columns, strict=True))[: counts.MAX_SAMPLES]
    return [f"{_format_time(time)} user {user!r}, item {item!r}" for time, user, item in first]


def _format_time(time: int) -> str:
    moment = datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
