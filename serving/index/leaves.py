"""The rows of a catalogue, sorted into leaves of similar vectors: an inverted file.

Jégou, Douze and Schmid, Product quantization for nearest neighbor search, PAMI 2011, the
coarse quantizer alone.
"""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

_ALIGNMENT = 64
"""Leaves begin at multiples of that many rows, so at multiples of 64 bytes whatever a row's width:
TensorFlow reads a slice that is so aligned where it lies instead of copying it."""
_SAMPLE_PER_LEAF = 64
_ITERATIONS = 8
_BLOCK = 2**19
"""Distances that are computed at once: 2 MiB, so that they stay in the cache."""


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


def usual_count(items: int) -> int:
    """About the square root of the catalogue's size, at least 1."""
    return max(1, round(math.sqrt(items)))


def partition(vectors: np.ndarray, count: int, seed: int = 0) -> Leaves:
    """k-means over `vectors` [n, dim], n > 0, into `count` leaves or fewer.

    The means are found on a sample of 64 vectors a leaf, and then all vectors go to the nearest.
    """
    count = min(count, len(vectors))
    rng = np.random.default_rng(seed)
    sample = vectors[np.sort(rng.permutation(len(vectors))[: count * _SAMPLE_PER_LEAF])]
    begin = sample[rng.permutation(len(sample))[:count]]
    return _laid_out(vectors, nearest(vectors, _means(sample, begin)), count)


def _means(sample: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """Lloyd's k-means from `begin` [l, dim]; where nothing is nearest to a mean it stays.

    Scipy's holds all distances between the sample [n, dim] and the means at once: with so many
    leaves that is more than all vectors.
    """
    means = begin.copy()
    for _ in range(_ITERATIONS):
        leaf = nearest(sample, means)
        size = np.bincount(leaf, minlength=len(means))
        some = size > 0
        sums = np.add.reduceat(sample[np.argsort(leaf)], (np.cumsum(size) - size)[some])
        means[some] = sums / size[some, np.newaxis]
    return means


def nearest(vectors: np.ndarray, means: np.ndarray) -> np.ndarray:
    """[n] the mean [l, dim] with the smallest Euclidean distance to each of `vectors` [n, dim]."""
    half = (means**2).sum(axis=1) / 2
    found = np.empty(len(vectors), np.int32)
    for part in _parts(len(vectors), max(1, _BLOCK // len(means))):
        closeness = vectors[part] @ means.T
        closeness -= half
        np.argmax(closeness, axis=1, out=found[part])
    return found


def _parts(total: int, size: int) -> Iterator[slice]:
    return (slice(begin, begin + size) for begin in range(0, total, size))


def _laid_out(vectors: np.ndarray, leaf: np.ndarray, count: int) -> Leaves:
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
