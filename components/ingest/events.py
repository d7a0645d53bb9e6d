"""Events of one shard: in order, each once."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields import ITEM_ID, TIMESTAMP
from components.ingest.table_spec import RAW
from schema.timeline import USER_ID

IDENTITY = (USER_ID, TIMESTAMP, ITEM_ID)


def in_order(events: pa.Table) -> pa.Table:
    """Sorts by user, time and item; of events that agree in all three keeps one.

    The one kept has the largest other fields (column by column, absent is smallest): what is kept
    depends on what the events say and not on the order in which they were read.
    """
    others = [name for name in events.column_names if name not in (*IDENTITY, RAW)]
    keys = [(name, "ascending") for name in IDENTITY] + [(name, "descending") for name in others]
    ordered = events.take(pc.sort_indices(events, sort_keys=keys))
    return ordered.filter(pa.array(_differs_from_previous(ordered, IDENTITY)))


def starts_of_users(events: pa.Table) -> np.ndarray:
    """Position of each user's first event, and the number of all: int64 [users + 1].

    `events` are in order.
    """
    return np.append(np.flatnonzero(_differs_from_previous(events, (USER_ID,))), events.num_rows)


def _differs_from_previous(table: pa.Table, names: tuple[str, ...]) -> np.ndarray:
    """Where one of the columns has another value than in the row before: bool [rows]."""
    differs = np.ones(table.num_rows, bool)
    if table.num_rows > 1:
        differs[1:] = False
        for name in names:
            column = table[name].combine_chunks()
            differs[1:] |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    return differs
