"""How good an index is: its ANN recall against exact search, and the latency of a query."""

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
"""Scores that are held at once: 64 MiB."""
_TIMED_QUERIES = 50
SearchFunction = Callable[[np.ndarray], np.ndarray]
"""[q, dim] -> [q, k] positions of the 100 best, or of all where there are fewer."""


@dataclasses.dataclass(frozen=True)
class ExactAnswers:
    """What exact search finds for queries, and what an index must find to be as good.

    Which items stand at the end of an exact list is chance where several are equally near: items
    without features that nobody has interacted with share one vector. So an item that is as near as
    the last of the exact list counts, whether exact search returned it or not.
    """

    vectors: np.ndarray
    """[n, dim]."""
    eligible: Eligibility
    queries: np.ndarray
    """[q, dim]."""
    positions: np.ndarray
    """[q, k] what exact search returns, counted from 1, in any order."""

    @property
    def depth(self) -> int:
        """Items of a list: 100, or all that are available where there are fewer."""
        return self.positions.shape[1]


def compute_exact_answers(
    vectors: np.ndarray, eligible: Eligibility, queries: np.ndarray
) -> ExactAnswers:
    """Exact search over the available vectors [n, dim] for `queries` [q, dim]."""
    depth = min(RECALL_DEPTH, int(eligible.available.sum()))
    rows = max(1, _BLOCK // len(vectors))
    found = []
    for begin in range(0, len(queries), rows):
        scores = queries[begin : begin + rows] @ vectors.T
        scores[:, ~eligible.available] = -np.inf
        found.append(np.argpartition(-scores, depth - 1, axis=1)[:, :depth] + 1)
    positions = np.concatenate(found).astype(np.int32)
    return ExactAnswers(vectors, eligible, queries, positions)


def compute_ann_recall(found: np.ndarray, exact: ExactAnswers) -> np.ndarray:
    """[q] ANN recall: the share of an exact list's places that an index fills with items as near.

    `found` is [q, k'] positions, counted from 1, best first; 0 stands for none. Items that are not
    available, or stand twice, count as none.

    An item is as near when its product with the query is at least that of the last item of the
    exact list, less the rounding error of such a product in float32: dim × 2**-24 × sum |q_i v_i|
    (Higham, Accuracy and stability of numerical algorithms, 2002, section 3.1).
    """
    rows = zip(exact.queries, exact.positions, found[:, : exact.depth], strict=True)
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


def measure_median_ms(ask: SearchFunction, queries: np.ndarray) -> float:
    """Median milliseconds of one of the `queries` [q, dim] for 100 items, over 50 of them."""
    ask(queries[:1])
    seconds = []
    for i in range(_TIMED_QUERIES):
        begin = time.perf_counter()
        ask(queries[i % len(queries)][np.newaxis])
        seconds.append(time.perf_counter() - begin)
    return 1000 * statistics.median(seconds)


def trace_search(index: Any, dim: int) -> SearchFunction:
    """One trace of `index.search` as it is set now, for any number of queries."""

    def search(queries: tf.Tensor) -> tf.Tensor:
        nothing = tf.zeros([tf.shape(queries)[0], 0], tf.int32)
        return index.search(queries, nothing, nothing, tf.constant(RECALL_DEPTH))[0]

    signature = [tf.TensorSpec([None, dim], tf.float32)]
    traced = tf.function(search, input_signature=signature, autograph=False)
    concrete = traced.get_concrete_function()
    return lambda queries: concrete(tf.constant(queries)).numpy()
