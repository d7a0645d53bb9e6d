"""Sorts and deduplicates the events of a shard, and selects the latest record of each id."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.table_spec import (
    FILE,
    ITEM_ID,
    LINE,
    MOMENT,
    ORIGIN,
    SPLIT,
    TIMESTAMP,
)
from components.ingest.fields.timestamps import NANOSECONDS_PER_SECOND
from schema.timeline import USER_ID


def sort_events(events: pa.Table) -> pa.Table:
    """Sorts by user, SPLIT (if there is one) and moment; events that are equal in these keep their
    order, that of files and lines. The column MOMENT is replaced by TIMESTAMP, in whole seconds.

    Of several events with the same user, split, moment and item the last one is kept.
    """
    names = [name for name in (USER_ID, SPLIT, MOMENT) if name in events.column_names]
    keys = [(name, "ascending") for name in names]
    ordered = events.take(pc.sort_indices(events, sort_keys=keys))  # this sort is stable
    unique = ordered.filter(pa.array(~_find_repeats(ordered, tuple(names))))
    seconds = unique[MOMENT].to_numpy() // NANOSECONDS_PER_SECOND
    return unique.set_column(unique.column_names.index(MOMENT), TIMESTAMP, pa.array(seconds))


def find_user_starts(events: pa.Table) -> np.ndarray:
    """Returns the position of each user's first event, then the number of events: int64
    [users + 1]. `events` are sorted by user.
    """
    return np.append(np.flatnonzero(differs_from_previous(events, (USER_ID,))), events.num_rows)


def _find_repeats(ordered: pa.Table, names: tuple[str, ...]) -> np.ndarray:
    """bool [rows]: whether a later event has the same values of `names` and the same item."""
    begins = differs_from_previous(ordered, names)
    tied = np.flatnonzero(~begins | ~np.append(begins[1:], True))
    repeated = np.zeros(ordered.num_rows, bool)
    if len(tied):
        tie = np.cumsum(begins)[tied]
        items = ordered[ITEM_ID].take(pa.array(tied)).combine_chunks().dictionary_encode()
        item = items.indices.to_numpy()
        order = np.lexsort((item, tie))  # this sort is stable
        same = (np.diff(tie[order]) == 0) & (np.diff(item[order]) == 0)
        repeated[tied[order[:-1][same]]] = True
    return repeated


def differs_from_previous(table: pa.Table, names: tuple[str, ...]) -> np.ndarray:
    """bool [rows]: whether one of the columns differs from the previous row; true in the first."""
    differs = np.ones(table.num_rows, bool)
    if table.num_rows > 1:
        differs[1:] = False
        for name in names:
            column = table[name].combine_chunks()
            differs[1:] |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    return differs


class LatestRecords(NamedTuple):
    """Records sorted by id, file and line."""

    kept: pa.Table
    """One record per id, without the origin columns."""
    repeated: pa.Table
    """The other records."""


def keep_latest(records: pa.Table, column: str) -> LatestRecords:
    """Keeps one record for each id in `column`: that in the last line of the last file, by path."""
    keys = [(name, "ascending") for name in (column, FILE, LINE)]
    ordered = records.take(pc.sort_indices(records, sort_keys=keys))
    last = np.ones(ordered.num_rows, bool)
    if ordered.num_rows > 1:
        ids = ordered[column].combine_chunks()
        last[:-1] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    origin = [name for name in ORIGIN if name in records.column_names]
    return LatestRecords(
        ordered.filter(pa.array(last)).drop(origin), ordered.filter(pa.array(~last))
    )
