"""ANN recall: how much of what exact search finds does an index find?"""

import numpy as np

from serving.eligibility import Eligibility

DEPTH = 100
_BLOCK = 2**24
"""Scores that are held at once: 64 MiB."""


def exact_positions(vectors: np.ndarray, eligible: Eligibility, queries: np.ndarray) -> np.ndarray:
    """[q, min(100, available)] positions of the available vectors [n, dim] with the greatest
    products, in no order.
    """
    depth = min(DEPTH, int(eligible.available.sum()))
    rows = max(1, _BLOCK // len(vectors))
    found = []
    for begin in range(0, len(queries), rows):
        scores = queries[begin : begin + rows] @ vectors.T
        scores[:, ~eligible.available] = -np.inf
        found.append(np.argpartition(-scores, depth - 1, axis=1)[:, :depth] + 1)
    return np.concatenate(found).astype(np.int32)


def of_each(found: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """[q] share of the exact neighbours [q, k] that stand among those found [q, k']."""
    kept = [np.isin(wanted, got).mean() for wanted, got in zip(exact, found, strict=True)]
    return np.array(kept)
