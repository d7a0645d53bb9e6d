"""Exact ranked lists: all unseen catalogue items, best first."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from trainer import exact_products

ROWS = 256


def slices(total: int, rows: int = ROWS) -> Iterator[slice]:
    """0:total in steps of `rows`."""
    for begin in range(0, total, rows):
        yield slice(begin, min(begin + rows, total))


def top(scores: np.ndarray, seen: list[np.ndarray], k: int) -> np.ndarray:
    """[q, n] scores by index (changed in place: seen items fall out) -> [q, min(k, n)] indices,
    best first.

    Equal scores go to the lower index, so that the same scores give the same list. A user with
    fewer than k unseen items gets index 0 in the places left over.
    """
    scores[:, 0] = -np.inf
    for row, items in zip(scores, seen, strict=True):
        row[items] = -np.inf
    best = tf.math.top_k(scores, min(k, scores.shape[1]))
    return np.where(np.isneginf(best.values), 0, best.indices)


def popular(counts: np.ndarray, seen: list[np.ndarray], k: int) -> np.ndarray:
    """The items with the highest `counts` [n], the same for everybody but for what a user has
    seen.
    """
    lists = np.zeros((len(seen), min(k, len(counts))), np.int32)
    for part in slices(len(seen)):
        lists[part] = top(np.tile(counts.astype(np.float64), (len(seen[part]), 1)), seen[part], k)
    return lists


def nearest(queries: np.ndarray, vectors: np.ndarray, seen: list[np.ndarray], k: int) -> np.ndarray:
    """[q, dim] x [n, dim] dot products -> [q, min(k, n)] indices of the nearest unseen items, best
    first.
    """
    lists = np.zeros((len(queries), min(k, len(vectors))), np.int32)
    for part in slices(len(queries)):
        lists[part] = top(exact_products.products(queries[part], vectors), seen[part], k)
    return lists
