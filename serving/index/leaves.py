"""The leaves of an inverted file: k-means over the catalogue's vectors, and the vectors in the
order of the leaves.

Jégou, Douze and Schmid, Product quantization for nearest neighbor search, PAMI 2011, the
coarse quantizer alone.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import tensorflow as tf

from serving.index.base import fill_variable

_ALIGNMENT = 64
"""Leaves begin at multiples of that many rows, so at multiples of 64 bytes whatever a row's width:
TensorFlow reads a slice that is so aligned where it lies instead of copying it."""
_SAMPLE_PER_LEAF = 64
_ITERATIONS = 8
_BLOCK = 2**19
"""Distances that are computed at once: 2 MiB, so that they stay in the cache."""
Codes = Literal["float32", "int8"]
_CHUNK = 65_536
_LARGEST = 127


@dataclasses.dataclass(frozen=True)
class Leaves:
    """`l` leaves, none empty, over `r` rows, some of which are padding."""

    centroids: np.ndarray
    """[l, dim] float32 mean of a leaf's vectors."""
    start: np.ndarray
    """[l] int32 the leaf's first row."""
    size: np.ndarray
    """[l] int32 its rows without padding."""
    source: np.ndarray
    """[r] int32 which of the vectors stands in a row, -1 for padding."""


def choose_leaf_count(items: int) -> int:
    """About the square root of the catalogue's size, at least 1."""
    return max(1, round(math.sqrt(items)))


def partition_vectors(vectors: np.ndarray, count: int, seed: int = 0) -> Leaves:
    """k-means over `vectors` [n, dim], n > 0, into `count` leaves or fewer.

    The means are found on a sample of 64 vectors a leaf, and then all vectors go to the nearest.
    """
    count = min(count, len(vectors))
    rng = np.random.default_rng(seed)
    sample = vectors[np.sort(rng.permutation(len(vectors))[: count * _SAMPLE_PER_LEAF])]
    begin = sample[rng.permutation(len(sample))[:count]]
    return _lay_out(vectors, find_nearest_means(vectors, _compute_means(sample, begin)), count)


def _compute_means(sample: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """Lloyd's k-means from `begin` [l, dim]; where nothing is nearest to a mean it stays.

    Scipy's holds all distances between the sample [n, dim] and the means at once: with so many
    leaves that is more than all vectors.
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
    """[n] the mean [l, dim] with the smallest Euclidean distance to each of `vectors` [n, dim]."""
    half = (means**2).sum(axis=1) / 2
    found = np.empty(len(vectors), np.int32)
    for part in _split_range(len(vectors), max(1, _BLOCK // len(means))):
        closeness = vectors[part] @ means.T
        closeness -= half
        np.argmax(closeness, axis=1, out=found[part])
    return found


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
            unit = _compute_largest_deviation(vectors, leaves) / _LARGEST

        def part(begin: int, end: int) -> np.ndarray:
            if self.are_deviations:
                return np.rint(_compute_deviations(vectors, leaves, begin, end) / unit)
            return vectors[leaves.source[begin:end]]  # what padding holds is never asked for

        self._table = fill_variable((rows, dim), codes, part, "rows")
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


def _compute_largest_deviation(vectors: np.ndarray, leaves: Leaves) -> np.ndarray:
    """[dim] float32, never 0."""
    largest = np.zeros(vectors.shape[1], np.float32)
    for begin in range(0, len(leaves.source), _CHUNK):
        deviations = _compute_deviations(vectors, leaves, begin, begin + _CHUNK)
        largest = np.maximum(largest, np.abs(deviations).max(axis=0))
    return np.where(largest > 0, largest, 1).astype(np.float32)


def _compute_deviations(vectors: np.ndarray, leaves: Leaves, begin: int, end: int) -> np.ndarray:
    """[rows, dim] of the rows from `begin` on, each from the mean of its leaf; 0 for padding."""
    source = leaves.source[begin:end]
    leaf = np.searchsorted(leaves.start, begin + np.arange(len(source)), side="right") - 1
    deviations = vectors[source] - leaves.centroids[leaf]
    deviations[source < 0] = 0
    return deviations
