"""The whole catalogue as arrays; row 0 is the unknown item."""

import dataclasses

import numpy as np
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft

from schema import timeline
from schema.dataset import Dataset
from trainer.data.transformed_examples import build_dense, read_batches


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """`n` items; every array has n + 1 rows, and row 0 is empty."""

    item_ids: np.ndarray
    """[n + 1] bytes objects."""
    titles: np.ndarray
    """[n + 1] bytes objects, the id where an item has no title."""
    features: dict[str, np.ndarray]
    """By declared name: [n + 1] or [n + 1, width]."""
    available: pa.Array | None = None
    """[n + 1] bool: whether the item may be recommended; None without an availability column."""
    filters: pa.Array | None = None
    """[n + 1] large_list<large_binary> of the values that requests can filter by; None where no
    filter feature is declared."""

    @property
    def size(self) -> int:
        """Number of items, without the unknown item."""
        return len(self.item_ids) - 1


def load_catalogue(uri: str, graph: tft.TFTransformOutput, dataset: Dataset) -> Catalogue:
    """Reads the transformed catalogue at `uri`; each item's row is its index."""
    columns: dict[str, list] = {}
    for batch in read_batches(uri, timeline.CATALOGUE_SPLIT, graph):
        for key, values in batch.items():
            columns.setdefault(key, []).append(values)
    rows = build_dense(columns["item_index"])
    ids = np.concatenate([values.numpy() for values in columns[timeline.ITEM_ID]])
    titles = _read_titles(columns[timeline.TITLE], ids)
    return Catalogue(
        item_ids=_order_by_index(ids, rows, b""),
        titles=_order_by_index(titles, rows, b""),
        features={
            name: _order_by_index(build_dense(columns[timeline.name_item_feature(name)]), rows, 0)
            for name in dataset.features.items
        },
        available=_read_available(columns, rows),
        filters=_read_filters(columns, rows),
    )


def _read_available(columns: dict[str, list], rows: np.ndarray) -> pa.Array | None:
    if timeline.AVAILABLE not in columns:
        return None
    available = build_dense(columns[timeline.AVAILABLE])
    return pa.array(_order_by_index(available.astype(bool), rows, False))


def _read_filters(columns: dict[str, list], rows: np.ndarray) -> pa.Array | None:
    if timeline.FILTERS not in columns:
        return None
    lists = pa.concat_arrays([_build_list_array(ragged) for ragged in columns[timeline.FILTERS]])
    empty = pa.array([[]], lists.type)
    order = _order_by_index(np.arange(1, len(rows) + 1), rows, 0)
    return pa.concat_arrays([empty, lists]).take(pa.array(order))


def _build_list_array(ragged: tf.RaggedTensor) -> pa.Array:
    values = pa.array(ragged.values.numpy(), pa.large_binary())
    splits = pa.array(ragged.row_splits.numpy(), pa.int64())
    return pa.LargeListArray.from_arrays(splits, values)


def _read_titles(batches: list[tf.RaggedTensor], ids: np.ndarray) -> np.ndarray:
    titles = np.concatenate([b.to_tensor(b"", shape=[None, 1]).numpy()[:, 0] for b in batches])
    return np.where(titles == b"", ids, titles)


def _order_by_index(values: np.ndarray, rows: np.ndarray, empty: object) -> np.ndarray:
    ordered = np.full((len(rows) + 1, *values.shape[1:]), empty, dtype=values.dtype)
    ordered[rows] = values
    return ordered
