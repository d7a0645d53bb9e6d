"""Records with an id of their own: of those that share one, the latest."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.table_spec import FILE, LINE, ORIGIN


class Latest(NamedTuple):
    """Records sorted by id, file and line."""

    kept: pa.Table
    """One an id, without its origin."""
    repeated: pa.Table
    """The others."""


def latest(records: pa.Table, column: str) -> Latest:
    """Divides `records` by the id in `column`: the last line of the last file (by path) is kept."""
    keys = [(name, "ascending") for name in (column, FILE, LINE)]
    ordered = records.take(pc.sort_indices(records, sort_keys=keys))
    last = np.ones(ordered.num_rows, bool)
    if ordered.num_rows > 1:
        ids = ordered[column].combine_chunks()
        last[:-1] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    origin = [name for name in ORIGIN if name in records.column_names]
    return Latest(ordered.filter(pa.array(last)).drop(origin), ordered.filter(pa.array(~last)))
