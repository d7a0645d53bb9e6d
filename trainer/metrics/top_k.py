"""Exact top-k lists of catalogue items, best first, from dot products that are bit-identical on
every processor.
"""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from scipy import sparse

from schema.recommend import Repeats

BLOCK_ROWS = 256
_BITS = 53  # of float64's significand
_BLOCK_ITEMS = 1 << 15


def iterate_blocks(total: int, rows: int = BLOCK_ROWS) -> Iterator[slice]:
    """0:total in steps of `rows`."""
    for begin in range(0, total, rows):
        yield slice(begin, min(begin + rows, total))


def select_top_k(
    scores: np.ndarray, interacted: list[np.ndarray], k: int, repeats: Repeats = "exclude"
) -> np.ndarray:
    """[q, n] scores by item index -> [q, min(k, n)] indices, best first.

    Changes `scores` in place: those of items that may not be listed become -inf. The lower index
    wins ties, so that the same scores give the same list. A user with fewer than k items that
    may be listed has index 0 in the remaining positions.

    Args:
        scores: [q, n] scores by item index.
        interacted: [q] indices of the items of each history.
        k: length of the lists.
        repeats: whether lists hold items of the history.
    """
    scores[:, 0] = -np.inf
    for row, items in zip(scores, interacted, strict=True):
        _mask_scores(row, items, repeats)
    best = tf.math.top_k(scores, min(k, scores.shape[1]))
    return np.where(np.isneginf(best.values), 0, best.indices)


def _mask_scores(row: np.ndarray, interacted: np.ndarray, repeats: Repeats) -> None:
    """Sets the scores [n] of items that may not be listed to -inf, in place."""
    if repeats == "exclude":
        row[interacted] = -np.inf
    elif repeats == "only":
        kept = row[interacted]
        row[:] = -np.inf
        row[interacted] = kept


def scale_below(counts: np.ndarray, scores: sparse.csr_matrix) -> np.ndarray:
    """[n] `counts` scaled to be far smaller than any of the positive `scores`, to decide ties."""
    least = scores.data.min() if scores.nnz else 1.0
    return counts * (1e-3 * least / max(1, counts.max()))


def rank_popular(
    counts: np.ndarray, interacted: list[np.ndarray], k: int, repeats: Repeats = "exclude"
) -> np.ndarray:
    """[users, min(k, n)] items with the highest `counts` [n]; `interacted`, `k` and `repeats` as
    in `select_top_k`.
    """
    lists = np.zeros((len(interacted), min(k, len(counts))), np.int32)
    for part in iterate_blocks(len(interacted)):
        lists[part] = select_top_k(
            np.tile(counts.astype(np.float64), (len(interacted[part]), 1)),
            interacted[part],
            k,
            repeats,
        )
    return lists


def rank_nearest(
    queries: np.ndarray,
    vectors: np.ndarray,
    interacted: list[np.ndarray],
    k: int,
    repeats: Repeats = "exclude",
) -> np.ndarray:
    """[q, min(k, n)] indices of the items with the greatest dot products, best first.

    Args:
        queries: [q, dim] query vectors.
        vectors: [n, dim] item vectors; row 0 is the unknown item, which no list contains.
        interacted: [q] indices of the items of each query's history.
        k: length of the lists.
        repeats: whether lists hold items of the history.
    """
    lists = np.zeros((len(queries), min(k, len(vectors))), np.int32)
    for part in iterate_blocks(len(queries)):
        lists[part] = select_top_k(
            compute_exact_products(queries[part], vectors), interacted[part], k, repeats
        )
    return lists


def round_to_grid(rows: np.ndarray) -> np.ndarray:
    """[n, dim] finite numbers -> [n, dim] float64, each row rounded to multiples of a power of two.

    The grid (2**-23 of the row's greatest number at 64 dimensions, as fine as float32) is coarse
    enough that float64 represents every sum of products of two such rows exactly. BLAS adds in an
    order that depends on the processor, the number of threads and a row's position in the table;
    exact sums do not depend on the order, so equal rows have equal products.
    """
    bits = (_BITS - (rows.shape[1] - 1).bit_length()) // 2
    exact = rows.astype(np.float64)
    exponent = np.frexp(np.abs(exact).max(axis=1, keepdims=True, initial=0))[1] - bits
    return np.ldexp(np.rint(np.ldexp(exact, -exponent)), exponent)


def compute_exact_products(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """[q, dim] x [n, dim] -> [q, n] dot products of the rows after `round_to_grid`, exact except
    for the final rounding to float32.
    """
    products = np.empty((len(queries), len(vectors)), np.float32)
    left = round_to_grid(queries)
    for begin in range(0, len(vectors), _BLOCK_ITEMS):
        block = slice(begin, begin + _BLOCK_ITEMS)
        products[:, block] = left @ round_to_grid(vectors[block]).T
    return products
