"""Rules that need more than one record: unknown items, too many events per day, stragglers.

Stragglers (events far from all others in time) and events in the future are counted and shown,
whether they are rejected or not.
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
    """Sorted events of a shard, after the rules."""

    kept: pa.Table
    refused: dict[str, pa.Table]
    """Rejected events by reason."""


def needs_origin(source: InteractionsSource) -> bool:
    """Returns whether a rule can reject events after parsing; they then keep their origin."""
    late = source.max_events_per_user_and_day is not None or source.time_outliers == "reject"
    return needs_catalogue(source) or late or source.format == "sequences"


def needs_catalogue(source: InteractionsSource) -> bool:
    """Returns whether the rules need the ids of the catalogue."""
    return source.unknown_item != "keep"


def divide_sequences(events: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Returns the events in each user's first line, and those in later lines, with DETAIL. Later
    lines are rejected because the time order of two lines is unknown.

    `events` have the columns ORIGIN and are sorted by file and line.
    """
    users = events[USER_ID].combine_chunks().dictionary_encode()
    user = users.indices.to_numpy()
    _, first = np.unique(user, return_index=True)
    file = events[FILE].combine_chunks().dictionary_encode().indices.to_numpy()
    line = events[LINE].to_numpy()
    later = (file != file[first][user]) | (line != line[first][user])
    kept, refused = _split_events(events, later)
    earlier = events.select([USER_ID, FILE, LINE]).take(pa.array(first[user[later]])).to_pydict()
    details = [
        f"user {format_excerpt(name)} also has line {number} of {path}; "
        "write all items of a user on one line"
        for name, path, number in zip(*earlier.values(), strict=True)
    ]
    return kept, refused.append_column(DETAIL, pa.array(details, pa.large_string()))


def apply_rules(
    events: pa.Table, source: InteractionsSource, catalogue: pa.Array | None
) -> RuleOutcome:
    """Applies the rules of `source` to `events`, which are sorted and without duplicates.

    `catalogue`, large_string [items], is required if `needs_catalogue`. Of a user's events on one
    day the first ones are kept.
    """
    refused: dict[str, pa.Table] = {}
    if needs_catalogue(source):
        assert catalogue is not None, "expected the ids of the catalogue"
        events, refused[UNKNOWN_ITEM] = _split_events(events, find_unknown_items(events, catalogue))
    if source.max_events_per_user_and_day is not None:
        excess = find_excess_events(events, source.max_events_per_user_and_day)
        events, refused[TOO_MANY_EVENTS] = _split_events(events, excess)
    return RuleOutcome(events, refused)


def find_unknown_items(events: pa.Table, catalogue: pa.Array) -> np.ndarray:
    """Returns bool [events]: whether the event's item is not in `catalogue`."""
    in_catalogue = pc.is_in(events[ITEM_ID].combine_chunks(), value_set=catalogue)
    return ~in_catalogue.to_numpy(zero_copy_only=False)


def find_excess_events(events: pa.Table, limit: int) -> np.ndarray:
    """Returns bool [events]: whether the user has `limit` earlier events on the same day, UTC, in
    any split. `events` are sorted by user.
    """
    times = events[TIMESTAMP].to_numpy()
    users = find_user_starts(events)
    user = np.repeat(np.arange(len(users) - 1), np.diff(users))
    order = np.lexsort((times, user))  # this sort is stable
    user, days = user[order], times[order] // DAY
    starts = np.flatnonzero(np.diff(user, prepend=-1) | np.diff(days, prepend=-1))
    lengths = np.diff(np.append(starts, len(days)))
    excess = np.zeros(len(days), bool)
    excess[order] = np.arange(len(days)) - np.repeat(starts, lengths) >= limit
    return excess


def _split_events(events: pa.Table, refused: np.ndarray) -> tuple[pa.Table, pa.Table]:
    return events.filter(pa.array(~refused)), events.filter(pa.array(refused))


def find_time_outliers(events: pa.Table, bulk: Bulk, now: int) -> dict[str, np.ndarray]:
    """Returns bool [events] for each kind of outlier: events before the `bulk`, after it, and after
    `now` (seconds since epoch, UTC). An event can be of two kinds.
    """
    times = events[TIMESTAMP].to_numpy()
    return {
        EARLY_STRAGGLERS: times < bulk.begin,
        LATE_STRAGGLERS: times >= bulk.end,
        FUTURE_EVENTS: times > now,
    }


def describe_events(events: pa.Table) -> list[str]:
    """Describes the first few of `events`, by time, user and item, for messages."""
    columns = (events[name].to_pylist() for name in (TIMESTAMP, USER_ID, ITEM_ID))
    first = sorted(zip(*columns, strict=True))[: counts.MAX_SAMPLES]
    return [f"{_format_time(time)} user {user!r}, item {item!r}" for time, user, item in first]


def _format_time(time: int) -> str:
    moment = datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
