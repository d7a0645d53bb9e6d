"""Accepted items through the pushed candidate tower."""

import pathlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from components.ingest.output import examples
from schema import refresh_inputs, timeline
from schema.candidates import to_text_array
from schema.dataset import Dataset
from schema.errors import DataRefused
from serving.graph import saved_models
from serving.refreshed_candidates import NewItems

_ROWS = 4096


def of(records: pa.Table, dataset: Dataset, candidates_uri: str) -> NewItems:
    """`records` of `components.ingest.refresh.read_items`, as the catalogue takes them up.

    Raises DataRefused where a vector is no number.
    """
    source = dataset.data.items
    is_closed = source.available is not None
    return NewItems(
        item_ids=to_text_array(records[timeline.ITEM_ID]),
        titles=to_text_array(records[timeline.TITLE]),
        vectors=_vectors(records, candidates_uri),
        available=_one(records[timeline.AVAILABLE]).cast(pa.bool_()) if is_closed else None,
        filters=_lists(records[timeline.name_item_feature(source.filter)])
        if source.filter
        else None,
    )


def _one(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks)


def _lists(column: pa.ChunkedArray) -> pa.Array:
    """Texts, or lists of them, with nulls -> large_list<large_binary>, empty for null."""
    array = _one(column)
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        count, values = pc.fill_null(pc.list_value_length(array), 0), pc.list_flatten(array)
    else:
        count, values = pc.is_valid(array).cast(pa.int64()), array.drop_null()
    splits = np.concatenate([[0], np.cumsum(count.to_numpy(zero_copy_only=False))])
    return pa.LargeListArray.from_arrays(pa.array(splits, pa.int64()), to_text_array(values))


def _vectors(records: pa.Table, candidates_uri: str) -> np.ndarray:
    """[m, dim]."""
    tower = _tower(candidates_uri)
    parts = [_of(tower, records.slice(n, _ROWS)) for n in range(0, records.num_rows, _ROWS)]
    found = np.concatenate(parts)
    bad = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(bad):
        first = records[timeline.ITEM_ID][int(bad[0])].as_py()
        raise DataRefused(
            f"items: expected features that have a vector, received {len(bad)} items whose vector "
            f"is no number, the first being {first!r}; look for extreme numbers among its features"
        )
    return found


def _tower(candidates_uri: str) -> Any:
    folder = pathlib.Path(refresh_inputs.locate_tower(candidates_uri))
    return saved_models.restored(folder)


def _of(tower: Any, records: pa.Table) -> np.ndarray:
    return tower.vectors(tf.constant(examples.encode(records))).numpy()
