"""Sorted events of a shard -> timelines; long ones are split into windows with some history."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.events.splits import Edges
from components.ingest.fields.table_spec import ITEM_ID, TIMESTAMP
from schema import timeline

EVENTS_PER_BATCH = 1 << 18


class Windows(NamedTuple):
    """Positions in the shard's events, int64 [windows] each: start <= own < stop."""

    start: np.ndarray
    """First event of the history."""
    own: np.ndarray
    """First event that belongs to the split."""
    stop: np.ndarray
    """One past the last."""


def build_split_windows(edges: Edges, split: str, window: int, carry: int) -> Windows:
    """Builds the windows of one split. Each user with an event in the split has at least one
    window. History can include events of earlier splits.

    Args:
        edges: Edges of the splits in the shard's events.
        split: Name of the split.
        window: Maximum number of events of the split in a window.
        carry: Maximum number of earlier events in a window.
    """
    begin, end = edges.own(split)
    pieces = -(-(end - begin) // window)
    user = np.repeat(np.arange(len(begin)), pieces)
    piece = np.arange(len(user)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    own = begin[user] + piece * window
    return Windows(
        start=np.maximum(edges.first[user], own - carry),
        own=own,
        stop=np.minimum(own + window, end[user]),
    )


def build_user_windows(edges: Edges) -> Windows:
    """Builds one window per user, with all events of the user; its own ones are those of test."""
    return Windows(edges.first, edges.test, edges.stop)


def build_batches(events: pa.Table, windows: Windows, users: pa.Table | None) -> Iterator[pa.Table]:
    """Yields timelines as rows with the fields of `schema.timeline`, in batches to bound memory.

    `users` has user_id and user_*, one row per user; the features of a user without a row are null.
    In the lists of events, which have no nulls, a missing label or number is NaN, a missing
    category "", and a missing timestamp 0.
    """
    total = np.cumsum(windows.stop - windows.start)
    cuts = np.searchsorted(total, np.arange(0, total[-1] if len(total) else 0, EVENTS_PER_BATCH))
    edges = np.unique([*cuts, len(total)])
    for low, high in itertools.pairwise(edges):
        part = Windows(*(positions[low:high] for positions in windows))
        yield _build_rows(events, part, users)


def _build_rows(events: pa.Table, windows: Windows, users: pa.Table | None) -> pa.Table:
    lengths = windows.stop - windows.start
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    index = np.arange(offsets[-1]) + np.repeat(windows.start - offsets[:-1], lengths)
    ids = events[timeline.USER_ID].take(pa.array(windows.start)).combine_chunks()
    columns: dict[str, pa.Array] = {
        timeline.USER_ID: ids,
        timeline.TARGET_FROM: pa.array(windows.own - windows.start),
    }
    if timeline.SHOWN in events.column_names:
        is_own = np.arange(len(index)) - np.repeat(offsets[:-1], lengths) >= np.repeat(
            windows.own - windows.start, lengths
        )
        columns |= _build_shown(events[timeline.SHOWN], index, is_own, offsets)
    for name in events.column_names:
        if name not in (timeline.USER_ID, timeline.SHOWN):
            values = events[name].take(pa.array(index)).combine_chunks()
            columns[_LIST_NAMES.get(str(name), str(name))] = _build_lists(values, offsets)
    if users is not None:
        row = pc.index_in(ids, value_set=users[timeline.USER_ID].combine_chunks())
        for name in users.column_names:
            if name != timeline.USER_ID:
                columns[name] = users[name].take(row).combine_chunks()
    return pa.table(columns)


def _build_shown(
    shown: pa.ChunkedArray, index: np.ndarray, is_own: np.ndarray, offsets: np.ndarray
) -> dict[str, pa.Array]:
    """SHOWN and SHOWN_COUNTS of timelines.

    Args:
        shown: Lists of items of the shard's events.
        index: [n] positions of the timelines' events.
        is_own: [n] whether the event belongs to the split; the others get no items.
        offsets: [timelines + 1] first event of each timeline.
    """
    lists = shown.take(pa.array(index[is_own])).combine_chunks()
    counts = np.zeros(len(index), np.int64)
    counts[is_own] = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    ends = np.concatenate([[0], np.cumsum(counts)])
    return {
        timeline.SHOWN: pa.LargeListArray.from_arrays(pa.array(ends[offsets]), lists.flatten()),
        timeline.SHOWN_COUNTS: _build_lists(pa.array(counts), offsets),
    }


_LIST_NAMES = {ITEM_ID: timeline.ITEM_IDS, TIMESTAMP: timeline.TIMESTAMPS}


def _build_lists(values: pa.Array, offsets: np.ndarray) -> pa.Array:
    """Builds one list per timeline from the `values` of events; nulls become the absent value."""
    if pa.types.is_floating(values.type):
        absent: float | str = float("nan")
    else:
        absent = "" if pa.types.is_large_string(values.type) else 0
    return pa.LargeListArray.from_arrays(
        pa.array(offsets, pa.int64()), pc.fill_null(values, absent)
    )
