"""Records with an id of their own: of those that share one, the latest."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.table_spec import FILE, LINE


def latest(records: pa.Table, column: str) -> pa.Table:
    """One record an id, sorted by the id in `column`; without FILE and LINE.

    The last line of the last file (by path) wins.
    """
    keys = [(name, "ascending") for name in (column, FILE, LINE)]
    ordered = records.take(pc.sort_indices(records, sort_keys=keys))
    last = np.ones(ordered.num_rows, bool)
    if ordered.num_rows > 1:
        ids = ordered[column].combine_chunks()
        last[:-1] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    return ordered.filter(pa.array(last)).drop([FILE, LINE])
