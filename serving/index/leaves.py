"""The leaves of an inverted file: k-means over the catalogue's vectors, and the vectors grouped by
leaf.

Source: the coarse quantizer of Jégou, Douze and Schmid, Product quantization for nearest neighbor
search, PAMI 2011.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import tensorflow as tf

from serving.index.base import fill_variable

_ALIGNMENT = 64
"""Leaves begin at multiples of this number of rows, and so at multiples of 64 bytes for any row
width: TensorFlow reads such an aligned slice in place instead of copying it."""
_SAMPLE_PER_LEAF = 64
_ITERATIONS = 8
_BLOCK = 2**19
"""Distances that are computed at once: 2 MiB, which fits in the cache."""
Codes = Literal["float32", "int8"]
_CHUNK = 65_536
_LARGEST = 127


@dataclasses.dataclass(frozen=True)
class Leaves:
    """`l` non-empty leaves over `r` rows, some of which are padding."""

    centroids: np.ndarray
    """[l, dim] float32 mean of the vectors of each leaf."""
    start: np.ndarray
    """[l] int32 first row of each leaf."""
    size: np.ndarray
    """[l] int32 number of rows of each leaf without padding."""
    source: np.ndarray
    """[r] int32 index of the vector in each row, -1 for padding."""


def choose_leaf_count(items: int) -> int:
    """About the square root of the catalogue's size, at least 1."""
    return max(1, round(math.sqrt(items)))


def partition_vectors(vectors: np.ndarray, count: int, seed: int = 0) -> Leaves:
    """Partitions `vectors` [n, dim], n > 0, into at most `count` leaves with k-means.

    The means are computed from a sample of 64 vectors per leaf; then each vector is assigned to the
    nearest mean.
    """
    count = min(count, len(vectors))
    rng = np.random.default_rng(seed)
    sample = vectors[np.sort(rng.permutation(len(vectors))[: count * _SAMPLE_PER_LEAF])]
    begin = sample[rng.permutation(len(sample))[:count]]
    return _lay_out(vectors, find_nearest_means(vectors, _compute_means(sample, begin)), count)


def _compute_means(sample: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """Lloyd's k-means from `begin` [l, dim]; a mean without assigned vectors does not change.

    SciPy's k-means keeps all distances between the sample [n, dim] and the means in memory, which
    takes more memory than all vectors with this many leaves.
    """
    means = begin.copy()
    for _ in range(_ITERATIONS):
        leaf = find_nearest_means(sample, means)
        size = np.bincount(leaf, minlength=len(means))
        some = size > 0
        sums = np.add.reduceat(sample[np.argsort(leaf)], (np.cumsum(size) - size)[some])
        means[some] = sums / size[some, np.newaxis]
    return means


def find_nearest_means(vectors: np.ndarray, means: np.ndarray) -> np.ndarray:
    """[n] index of the mean [l, dim] nearest (Euclidean) to each of `vectors` [n, dim]."""
    half = (means**2).sum(axis=1) / 2
    nearest = np.empty(len(vectors), np.int32)
    for part in _split_range(len(vectors), max(1, _BLOCK // len(means))):
        closeness = vectors[part] @ means.T
        closeness -= half
        np.argmax(closeness, axis=1, out=nearest[part])
    return nearest


def _split_range(total: int, size: int) -> Iterator[slice]:
    return (slice(begin, begin + size) for begin in range(0, total, size))


def _lay_out(vectors: np.ndarray, leaf: np.ndarray, count: int) -> Leaves:
    size = np.bincount(leaf, minlength=count)
    order = np.argsort(leaf, kind="stable")
    size = size[size > 0]
    room = -(-size // _ALIGNMENT) * _ALIGNMENT
    start = np.cumsum(room) - room
    within = np.arange(len(vectors)) - np.repeat(np.cumsum(size) - size, size)
    source = np.full(room.sum(), -1, np.int32)
    source[np.repeat(start, size) + within] = order
    centroids = [vectors[part].mean(axis=0) for part in np.split(order, np.cumsum(size)[:-1])]
    return Leaves(
        np.stack(centroids).astype(np.float32),
        start.astype(np.int32),
        size.astype(np.int32),
        source,
    )


class LeafRows(tf.Module):
    """`r` rows as float32, or each value's deviation from the leaf's mean in one byte.

    The byte codes are a scalar quantization of residuals. The unit of a column is its largest
    deviation divided by 127. Since the query is multiplied by the units, scoring a row of bytes is
    one dot product too.
    """

    def __init__(self, vectors: np.ndarray, leaves: Leaves, codes: Codes):
        """`vectors` [n, dim] are those that `leaves.source` refers to."""
        super().__init__()
        rows, dim = len(leaves.source), vectors.shape[1]
        self._dim = dim
        self._chunk = rows if codes == "float32" else _CHUNK
        self._chunks = math.ceil(rows / self._chunk)
        self.are_deviations = codes == "int8"
        unit = np.ones(dim, np.float32)
        if self.are_deviations:
            unit = _compute_largest_deviation(vectors, leaves) / _LARGEST

        def part(begin: int, end: int) -> np.ndarray:
            if self.are_deviations:
                return np.rint(_compute_deviations(vectors, leaves, begin, end) / unit)
            return vectors[leaves.source[begin:end]]  # padding rows are never returned

        self._table = fill_variable((rows, dim), codes, part, "rows")
        self._unit = tf.Variable(unit, trainable=False, name="unit")

    def column(self, query: tf.Tensor) -> tf.Tensor:
        """Query [dim] to the column [dim, 1] by which rows are multiplied."""
        return (query * self._unit)[:, tf.newaxis]

    def products(
        self, begin: Sequence[tf.Tensor], extent: Sequence[tf.Tensor], column: tf.Tensor
    ) -> list[tf.Tensor]:
        """Dot products [rows, 1] of `column` with each slice of the table, which begins at `begin`
        = (row, 0) and has the size `extent` = (rows, dim).

        The slices are multiplied in parallel, and float rows are not copied.
        """
        table = self._table.value()
        parts = [tf.slice(table, *part) for part in zip(begin, extent, strict=True)]
        return [tf.matmul(tf.cast(part, tf.float32), column) for part in parts]

    def all_products(self, column: tf.Tensor) -> tf.Tensor:
        """Dot products [r] of `column` with all rows. Byte codes are converted to float one chunk
        at a time: the whole table as floats would be four times as large.
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


def _compute_largest_deviation(vectors: np.ndarray, leaves: Leaves) -> np.ndarray:
    """[dim] float32 largest absolute deviation of each column, 1 where it would be 0."""
    largest = np.zeros(vectors.shape[1], np.float32)
    for begin in range(0, len(leaves.source), _CHUNK):
        deviations = _compute_deviations(vectors, leaves, begin, begin + _CHUNK)
        largest = np.maximum(largest, np.abs(deviations).max(axis=0))
    return np.where(largest > 0, largest, 1).astype(np.float32)


def _compute_deviations(vectors: np.ndarray, leaves: Leaves, begin: int, end: int) -> np.ndarray:
    """[rows, dim] deviations of the rows `begin` to `end` from their leaf's mean; 0 for padding."""
    source = leaves.source[begin:end]
    leaf = np.searchsorted(leaves.start, begin + np.arange(len(source)), side="right") - 1
    deviations = vectors[source] - leaves.centroids[leaf]
    deviations[source < 0] = 0
    return deviations
