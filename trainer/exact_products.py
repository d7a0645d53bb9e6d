"""Dot products that are the same bits on every processor."""

import numpy as np

_BITS = 53  # of float64's significand
_BLOCK = 1 << 15


def on_grid(rows: np.ndarray) -> np.ndarray:
    """[n, dim] finite numbers, those of each row rounded to multiples of one power of two, float64.

    The grid is so coarse (2**-23 of the row's greatest number at 64 dimensions, as fine as float32)
    that float64 holds every sum of products of two such rows exactly. BLAS adds in an order that
    depends on the processor, on the number of threads and on where in the table a row stands; what
    needs no rounding is the same in every order, and rows that are equal have equal products.
    """
    bits = (_BITS - (rows.shape[1] - 1).bit_length()) // 2
    exact = rows.astype(np.float64)
    exponent = np.frexp(np.abs(exact).max(axis=1, keepdims=True, initial=0))[1] - bits
    return np.ldexp(np.rint(np.ldexp(exact, -exponent)), exponent)


def products(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """[q, dim] x [n, dim] -> [q, n] dot products of the rows on their grids, exact but for one
    rounding to float32.
    """
    found = np.empty((len(queries), len(vectors)), np.float32)
    left = on_grid(queries)
    for begin in range(0, len(vectors), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        found[:, block] = left @ on_grid(vectors[block]).T
    return found
