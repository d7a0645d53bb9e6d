"""Quality of an index: its ANN recall relative to exact search, and the latency of a query."""

import dataclasses
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from serving.index.eligibility import Eligibility

RECALL_DEPTH = 100
_BLOCK = 2**24
"""Scores in memory at once: 64 MiB."""
_TIMED_QUERIES = 50
SearchFunction = Callable[[np.ndarray], np.ndarray]
"""Queries [q, dim] to positions [q, k] of the best 100 items, or of all if there are fewer."""


@dataclasses.dataclass(frozen=True)
class ExactAnswers:
    """Results of exact search, to which the results of an index are compared.

    If several items have equal scores, which of them end an exact list is arbitrary: items without
    features and interactions share one vector. So an item that scores at least as high as the last
    item of the exact list counts as found, even if exact search did not return it.
    """

    vectors: np.ndarray
    """[n, dim]."""
    eligible: Eligibility
    queries: np.ndarray
    """[q, dim]."""
    positions: np.ndarray
    """[q, k] 1-based positions that exact search returns, in any order."""

    @property
    def depth(self) -> int:
        """Length of a list: 100, or the number of available items if that is smaller."""
        return self.positions.shape[1]


def compute_exact_answers(
    vectors: np.ndarray, eligible: Eligibility, queries: np.ndarray
) -> ExactAnswers:
    """Exact search over the available vectors [n, dim] for `queries` [q, dim]."""
    depth = min(RECALL_DEPTH, int(eligible.available.sum()))
    rows = max(1, _BLOCK // len(vectors))
    parts = []
    for begin in range(0, len(queries), rows):
        scores = queries[begin : begin + rows] @ vectors.T
        scores[:, ~eligible.available] = -np.inf
        parts.append(np.argpartition(-scores, depth - 1, axis=1)[:, :depth] + 1)
    positions = np.concatenate(parts).astype(np.int32)
    return ExactAnswers(vectors, eligible, queries, positions)


def compute_ann_recall(positions: np.ndarray, exact: ExactAnswers) -> np.ndarray:
    """[q] ANN recall: number of items as near as those of the exact list, divided by its length.

    `positions` are 1-based [q, k'], best first; 0 means no item. Unavailable items are
    ignored, and a repeated item counts once.

    An item is as near if its dot product with the query is at least that of the last item of the
    exact list, minus the rounding error of such a product in float32: dim × 2**-24 × sum |q_i v_i|
    (Higham, Accuracy and stability of numerical algorithms, 2002, section 3.1).
    """
    rows = zip(exact.queries, exact.positions, positions[:, : exact.depth], strict=True)
    return np.array([_compute_share(exact, query, nearest, got) for query, nearest, got in rows])


def _compute_share(
    exact: ExactAnswers, query: np.ndarray, nearest: np.ndarray, got: np.ndarray
) -> float:
    terms = query.astype(np.float64) * exact.vectors[nearest - 1]
    last = terms.sum(axis=1).argmin()
    rounding = len(query) * 2.0**-24 * np.abs(terms[last]).sum()
    items = np.unique(got[got > 0]) - 1
    items = items[exact.eligible.available[items]]
    scores = (query.astype(np.float64) * exact.vectors[items]).sum(axis=1)
    return np.count_nonzero(scores >= terms[last].sum() - rounding) / exact.depth


def measure_median_ms(search: SearchFunction, queries: np.ndarray) -> float:
    """Median latency (milliseconds) of a query for 100 items, over 50 of `queries` [q, dim]."""
    search(queries[:1])
    seconds = []
    for i in range(_TIMED_QUERIES):
        begin = time.perf_counter()
        search(queries[i % len(queries)][np.newaxis])
        seconds.append(time.perf_counter() - begin)
    return 1000 * statistics.median(seconds)


def trace_search(index: Any, dim: int) -> SearchFunction:
    """Traces `index.search` with its present setting, for any number of queries."""

    def search(queries: tf.Tensor) -> tf.Tensor:
        empty = tf.zeros([tf.shape(queries)[0], 0], tf.int32)
        return index.search(queries, empty, empty, tf.constant(RECALL_DEPTH))[0]

    signature = [tf.TensorSpec([None, dim], tf.float32)]
    traced = tf.function(search, input_signature=signature, autograph=False)
    concrete = traced.get_concrete_function()
    return lambda queries: concrete(tf.constant(queries)).numpy()
