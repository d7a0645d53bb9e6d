"""Item ids to positions and back."""

import os
import tempfile

import numpy as np
import tensorflow as tf

from schema.candidates import Candidates


class ItemTable(tf.Module):
    """Position 0 is the unknown item, its id ""; item i of the candidates has position i + 1.

    The ids travel as an asset file and as a variable, so that no catalogue meets the graph's 2
    GB limit.
    """

    def __init__(self, candidates: Candidates):
        super().__init__()
        self._ids = tf.Variable(
            np.concatenate([[b""], candidates.item_ids]).tolist(), trainable=False, name="item_ids"
        )
        # Lives as long as the table, which a SavedModel copies it from.
        self._folder = tempfile.TemporaryDirectory(prefix="tandem-")
        initializer = tf.lookup.TextFileInitializer(
            _one_a_line(candidates.item_ids, self._folder.name),
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        self._positions = tf.lookup.StaticHashTable(initializer, default_value=-1)
        self._popularity = tf.Variable(
            np.pad(candidates.vectors[:, -1], (1, 0)), trainable=False, name="log_popularity"
        )

    def positions(self, ids: tf.Tensor) -> tf.Tensor:
        """Ids of any shape -> int32 positions."""
        return tf.cast(self._positions.lookup(ids) + 1, tf.int32)

    def ids(self, positions: tf.Tensor) -> tf.Tensor:
        """Positions of any shape -> ids."""
        return tf.gather(self._ids, positions)

    def log_popularity(self, positions: tf.Tensor) -> tf.Tensor:
        """Positions of any shape -> present log popularity."""
        return tf.gather(self._popularity, positions)


def _one_a_line(ids: np.ndarray, folder: str) -> str:
    """Path of the file of ids: ingestion lets no id with a line break in."""
    path = os.path.join(folder, "item_ids.txt")
    with open(path, "wb") as file:
        file.writelines(item + b"\n" for item in ids)
    return path
