"""The whole catalogue as arrays, row 0 standing for the unknown item."""

import dataclasses

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from schema import timeline
from schema.dataset import Dataset
from trainer import transformed


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """`n` items; every array has n + 1 rows, and row 0 is empty."""

    item_ids: np.ndarray
    """[n + 1] bytes objects."""
    titles: np.ndarray
    """[n + 1] bytes objects, the id where an item has no title."""
    features: dict[str, np.ndarray]
    """By declared name: [n + 1] or [n + 1, width]."""

    @property
    def size(self) -> int:
        """Number of items, the unknown one not counted."""
        return len(self.item_ids) - 1


def load(uri: str, graph: tft.TFTransformOutput, dataset: Dataset) -> Catalogue:
    """Reads the transformed catalogue at `uri` and puts each item into the row of its index."""
    columns: dict[str, list] = {}
    for batch in transformed.batches(uri, timeline.CATALOGUE_SPLIT, graph):
        for key, values in batch.items():
            columns.setdefault(key, []).append(values)
    rows = transformed.dense(columns["item_index"])
    ids = np.concatenate([values.numpy() for values in columns[timeline.ITEM_ID]])
    titles = _titles(columns[timeline.TITLE], ids)
    return Catalogue(
        item_ids=_place(ids, rows, b""),
        titles=_place(titles, rows, b""),
        features={
            name: _place(transformed.dense(columns[timeline.item(name)]), rows, 0)
            for name in dataset.features.items
        },
    )


def _titles(batches: list[tf.RaggedTensor], ids: np.ndarray) -> np.ndarray:
    titles = np.concatenate([b.to_tensor(b"", shape=[None, 1]).numpy()[:, 0] for b in batches])
    return np.where(titles == b"", ids, titles)


def _place(values: np.ndarray, rows: np.ndarray, empty: object) -> np.ndarray:
    placed = np.full((len(rows) + 1, *values.shape[1:]), empty, dtype=values.dtype)
    placed[rows] = values
    return placed
