"""Examples as their statistics count them: each event once, and no value as a missing one."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schema import timeline

_PARALLEL = (timeline.ITEM_IDS, timeline.TIMESTAMPS, timeline.POSITIVE)
_PARALLEL_PREFIXES = (timeline.label(""), timeline.context(""))


def counted(batch: pa.RecordBatch) -> pa.RecordBatch:
    """`batch` [examples] has a list column a feature, as TFXIO reads it.

    The parallel lists of a timeline lose what stands before `target_from`: it is history, carried
    along, which another Example counts as its own. A list that is empty becomes null: to TFDV an
    empty list is present, and a rule of presence would never be broken.
    """
    names = batch.schema.names
    columns = list(batch.columns)
    if timeline.TARGET_FROM in names:
        start = batch.column(timeline.TARGET_FROM).flatten().to_numpy()
        columns = [
            _from(column, start) if _is_parallel(name) else column
            for name, column in zip(names, columns, strict=True)
        ]
    return pa.RecordBatch.from_arrays([_missing_if_empty(column) for column in columns], names)


def _is_parallel(name: str) -> bool:
    return name in _PARALLEL or name.startswith(_PARALLEL_PREFIXES)


def _from(lists: pa.Array, start: np.ndarray) -> pa.Array:
    """[rows] lists, [rows] int64 -> the lists without their first `start` values."""
    if pa.types.is_null(lists.type):
        return lists
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    positions = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    kept = pa.array(positions >= np.repeat(start, lengths))
    return _lists(np.maximum(lengths - start, 0), lists.flatten().filter(kept))


def _missing_if_empty(lists: pa.Array) -> pa.Array:
    if pa.types.is_null(lists.type):
        return lists
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    return _lists(lengths, lists.flatten())


def _lists(lengths: np.ndarray, values: pa.Array) -> pa.Array:
    """Lists of these lengths; null where it is 0."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    # An offset that is null makes its list null; the last one closes the last list.
    none = np.append(lengths == 0, False)
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64(), mask=none), values)
