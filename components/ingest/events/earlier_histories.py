"""Items from before the log, put before each user's first event."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.events.log import find_user_starts
from components.ingest.events.splits import Edges
from components.ingest.fields.rows.elements import repeat_values
from components.ingest.fields.table_spec import HISTORY, ITEM_ID, TABLE, TIMESTAMP
from schema import timeline


class ExtendedLog(NamedTuple):
    """The events of a shard with those of earlier histories."""

    events: pa.Table
    """Those of each user in their order, after the earlier ones; without the column HISTORY."""
    edges: Edges
    """Edges of the splits. Earlier items are before `train`: no split has them."""
    earlier: np.ndarray
    """int64 [users]: number of earlier items, the first events of each user."""


def insert_histories(events: pa.Table, edges: Edges, begin: int) -> ExtendedLog:
    """Puts the items in HISTORY of each user's earliest event that has a list before all events of
    the user, one second apart. An event of a table without the column has no list.

    They are positive, have no labels and no context, and their times end before `begin` and before
    the user's earliest event; in seconds since epoch, UTC. A log without the column stays as it is.

    Args:
        events: Events of a shard, sorted by user; those of a user by time, or by split and time.
        edges: Edges of the splits.
        begin: Begin of the log.
    """
    if HISTORY not in events.column_names:
        return ExtendedLog(events, edges, np.zeros(len(edges.first), np.int64))
    log = events.drop([HISTORY])
    starts = find_user_starts(events)[:-1]
    lists = _find_first_lists(events, starts)
    earlier = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    user = np.repeat(np.arange(len(starts)), earlier)
    to_end = np.repeat(np.cumsum(earlier), earlier) - np.arange(len(user))
    ends = np.minimum(begin, np.minimum.reduceat(log[TIMESTAMP].to_numpy(), starts))
    inserted = _build_events(log, starts[user], lists.flatten(), ends[user] - to_end)
    users = np.concatenate([user, np.repeat(np.arange(len(starts)), edges.stop - edges.first)])
    order = np.argsort(users, kind="stable")
    both = pa.concat_tables([inserted, log]).take(pa.array(order)).combine_chunks()
    return ExtendedLog(both, _shift_edges(edges, earlier), earlier)


def _find_first_lists(events: pa.Table, starts: np.ndarray) -> pa.Array:
    """large_list<large_string> [users]: by time the first list that a user's events have, or null.
    Later lists may hold items of the log itself.
    """
    lists = events[HISTORY].combine_chunks()
    user = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(lists))))
    present = np.flatnonzero(lists.is_valid().to_numpy(zero_copy_only=False))
    order = present[np.lexsort((events[TIMESTAMP].to_numpy()[present], user[present]))]
    users, first = np.unique(user[order], return_index=True)
    chosen = np.full(len(starts), -1)
    chosen[users] = order[first]
    return repeat_values(lists, chosen)


def _build_events(log: pa.Table, first: np.ndarray, items: pa.Array, times: np.ndarray) -> pa.Table:
    """Events with the columns of `log`, of the users of its events at `first`."""
    known = {
        timeline.USER_ID: log[timeline.USER_ID].take(pa.array(first)).combine_chunks(),
        ITEM_ID: items,
        TIMESTAMP: pa.array(times),
        timeline.POSITIVE: pa.array(np.ones(len(first), np.int64)),
        TABLE: pa.array(np.zeros(len(first), np.int8)),
    }
    columns = [
        known[field.name].cast(field.type)
        if field.name in known
        else pa.nulls(len(first), field.type)
        for field in log.schema
    ]
    return pa.Table.from_arrays(columns, schema=log.schema)


def _shift_edges(edges: Edges, earlier: np.ndarray) -> Edges:
    before = np.cumsum(earlier) - earlier
    first, *later = edges
    return Edges(first + before, *(edge + before + earlier for edge in later))
