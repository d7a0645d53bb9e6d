"""The vectors of an inverted file, in the order of its leaves."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import tensorflow as tf

from serving.filled_rows import filled
from serving.index.leaves import Leaves

Codes = Literal["float32", "int8"]
_CHUNK = 65_536
_LARGEST = 127


class LeafRows(tf.Module):
    """`r` rows as they are, or each value's deviation from the leaf's mean in one byte.

    A byte's unit is of its column, the 127th part of the largest deviation there, so scoring a row
    of bytes is one product too: the query takes the units. (Scalar quantization of residuals.)
    """

    def __init__(self, vectors: np.ndarray, leaves: Leaves, codes: Codes):
        """`vectors` [n, dim] are those that `leaves.source` counts."""
        super().__init__()
        rows, dim = len(leaves.source), vectors.shape[1]
        self._dim = dim
        self._chunk = rows if codes == "float32" else _CHUNK
        self._chunks = math.ceil(rows / self._chunk)
        self.are_deviations = codes == "int8"
        unit = np.ones(dim, np.float32)
        if self.are_deviations:
            unit = _largest_deviation(vectors, leaves) / _LARGEST

        def part(begin: int, end: int) -> np.ndarray:
            if self.are_deviations:
                return np.rint(_deviations(vectors, leaves, begin, end) / unit)
            return vectors[leaves.source[begin:end]]  # what padding holds is never asked for

        self._table = filled((rows, dim), codes, part, "rows")
        self._unit = tf.Variable(unit, trainable=False, name="unit")

    def column(self, query: tf.Tensor) -> tf.Tensor:
        """[dim] -> [dim, 1], what rows are multiplied with."""
        return (query * self._unit)[:, tf.newaxis]

    def products(
        self, begin: Sequence[tf.Tensor], extent: Sequence[tf.Tensor], column: tf.Tensor
    ) -> list[tf.Tensor]:
        """Of each part, from `begin` = (row, 0) on `extent` = (rows, dim) -> [rows, 1].

        One slice and one product a part: they run in parallel, and where rows are floats nothing
        is copied.
        """
        table = self._table.value()
        parts = [tf.slice(table, *part) for part in zip(begin, extent, strict=True)]
        return [tf.matmul(tf.cast(part, tf.float32), column) for part in parts]

    def all_products(self, column: tf.Tensor) -> tf.Tensor:
        """[r]. Bytes are unpacked a chunk at a time: unpacked together they were four times as
        large.
        """
        if self._chunks == 1:
            return tf.matmul(tf.cast(self._table.value(), tf.float32), column)[:, 0]
        rows = self._table.shape[0]

        def chunk(number: tf.Tensor) -> tf.Tensor:
            begin = tf.minimum(number * self._chunk, rows - self._chunk)
            extent = tf.constant([self._chunk, self._dim])
            return self.products([tf.stack([begin, 0])], [extent], column)[0][:, 0]

        parts = tf.map_fn(chunk, tf.range(self._chunks), fn_output_signature=tf.float32)
        overlap = self._chunks * self._chunk - rows
        return tf.concat([tf.reshape(parts[:-1], [-1]), parts[-1, overlap:]], axis=0)


def _largest_deviation(vectors: np.ndarray, leaves: Leaves) -> np.ndarray:
    """[dim] float32, never 0."""
    largest = np.zeros(vectors.shape[1], np.float32)
    for begin in range(0, len(leaves.source), _CHUNK):
        deviations = _deviations(vectors, leaves, begin, begin + _CHUNK)
        largest = np.maximum(largest, np.abs(deviations).max(axis=0))
    return np.where(largest > 0, largest, 1).astype(np.float32)


def _deviations(vectors: np.ndarray, leaves: Leaves, begin: int, end: int) -> np.ndarray:
    """[rows, dim] of the rows from `begin` on, each from the mean of its leaf; 0 for padding."""
    source = leaves.source[begin:end]
    leaf = np.searchsorted(leaves.start, begin + np.arange(len(source)), side="right") - 1
    deviations = vectors[source] - leaves.centroids[leaf]
    deviations[source < 0] = 0
    return deviations
