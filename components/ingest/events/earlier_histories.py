"""Items from before the log, put before each user's first event."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.events.log import find_user_starts
from components.ingest.events.splits import Edges
from components.ingest.fields.table_spec import HISTORY, ITEM_ID, TABLE, TIMESTAMP
from schema import timeline


class ExtendedLog(NamedTuple):
    """The events of a shard with those of earlier histories."""

    events: pa.Table
    """Sorted by user and time, without the column HISTORY."""
    edges: Edges
    """Edges of the splits. Earlier items are before `train`: no split has them."""
    earlier: np.ndarray
    """int64 [users]: number of earlier items, the first events of each user."""


def insert_histories(events: pa.Table, edges: Edges, begin: int) -> ExtendedLog:
    """Puts the items in HISTORY of each user's first event before that event, one second apart.

    They are positive, have no labels and no context, and their times end before `begin` and before
    the user's first event; in seconds since epoch, UTC. Events without the column stay as they are.
    """
    if HISTORY not in events.column_names:
        return ExtendedLog(events, edges, np.zeros(len(edges.first), np.int64))
    log = events.drop([HISTORY])
    starts = find_user_starts(events)[:-1]
    lists = events[HISTORY].take(pa.array(starts)).combine_chunks()
    earlier = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    user = np.repeat(np.arange(len(starts)), earlier)
    to_end = np.repeat(np.cumsum(earlier), earlier) - np.arange(len(user))
    ends = np.minimum(begin, log[TIMESTAMP].to_numpy()[starts])
    inserted = _build_events(log, starts[user], lists.flatten(), ends[user] - to_end)
    users = np.concatenate([user, np.repeat(np.arange(len(starts)), edges.stop - edges.first)])
    order = np.argsort(users, kind="stable")
    both = pa.concat_tables([inserted, log]).take(pa.array(order)).combine_chunks()
    return ExtendedLog(both, _shift_edges(edges, earlier), earlier)


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
