"""Approximate search with standard TensorFlow ops only: any TensorFlow Serving can load it.

An inverted file (`index.leaves`): a query scores all rows of the leaves whose means score highest,
reading each leaf in place without a copy. Excluded items are masked before the top k are selected,
so no more than k results have to be fetched.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import tensorflow as tf

from serving.index.base import SearchResult, search_each_query
from serving.index.eligibility import Eligibility, match_categories
from serving.index.leaves import Codes, LeafRows, partition_vectors

Rows = Callable[[tf.Tensor], tf.Tensor]


class IvfIndex(tf.Module):
    """Searches as `serving.index.exact.ExactIndex` does.

    If the probed leaves have too few eligible items, all rows are scored, so the result has k items
    whenever k are eligible. The result of a query does not depend on the rest of its batch.
    """

    kind = "ivf"

    def __init__(
        self,
        vectors: np.ndarray,
        eligible: Eligibility,
        leaf_count: int,
        probes: int,
        codes: Codes = "float32",
    ):
        """Partitions the available vectors into leaves.

        Args:
            vectors: Candidate vectors [n, dim] float32, at least one of them available.
            eligible: Availability and categories of the n items.
            leaf_count: Number of leaves to build; empty ones are dropped.
            probes: Number of leaves that a query reads.
            codes: How vectors are stored: `float32`, or `int8` with approximate scores.
        """
        super().__init__()
        positions = eligible.positions
        vectors = vectors if eligible.available.all() else vectors[positions - 1]
        parted = partition_vectors(vectors, leaf_count)
        at = np.where(parted.source >= 0, positions[parted.source], 0).astype(np.int32)
        begin = np.stack([parted.start, np.zeros_like(parted.start)], axis=1)
        extent = np.stack([parted.size, np.full_like(parted.size, vectors.shape[1])], axis=1)
        self.probes = min(probes, len(parted.size))
        self.leaf_count = len(parted.size)
        self.codes = codes
        self._size = len(positions)
        self._centroids = _build_constant(parted.centroids, "centroids")
        self._begin = _build_constant(begin, "leaf_begin")
        self._extent = _build_constant(extent, "leaf_extent")
        self._positions = _build_constant(at, "positions")
        self._row_of = _build_constant(eligible.rows(at), "row_of")
        self._categories = _build_constant(eligible.categories_by_position(), "categories")
        self._rows = LeafRows(vectors, parted, codes)

    def search(
        self, queries: tf.Tensor, excluded: tf.Tensor, allowed: tf.Tensor, k: tf.Tensor
    ) -> SearchResult:
        """See `ExactIndex.search`."""
        width = tf.minimum(k, self._size)
        return search_each_query(partial(self._search_one, width), (queries, excluded, allowed))

    def _search_one(
        self, width: tf.Tensor, query: tf.Tensor, excluded: tf.Tensor, allowed: tf.Tensor
    ) -> SearchResult:
        """[dim], [e], [a] -> [width] each."""
        result = self._probed(query, excluded, allowed, width)
        if self.probes == self.leaf_count:
            return result
        return tf.cond(
            tf.reduce_any(result[0] == 0),
            lambda: self._scanned(query, excluded, allowed, width),
            lambda: result,
        )

    def _probed(
        self, query: tf.Tensor, excluded: tf.Tensor, allowed: tf.Tensor, width: tf.Tensor
    ) -> SearchResult:
        """Searches the leaves whose means score highest."""
        leaf_scores = tf.linalg.matvec(self._centroids, query)
        best = tf.math.top_k(leaf_scores, self.probes)
        begin, extent = tf.gather(self._begin, best.indices), tf.gather(self._extent, best.indices)
        column = self._rows.column(query)
        parts = self._rows.products(
            tf.unstack(begin, self.probes), tf.unstack(extent, self.probes), column
        )
        if self._rows.are_deviations:
            parts = [
                mean + part
                for mean, part in zip(tf.unstack(best.values, self.probes), parts, strict=True)
            ]
        end = tf.cumsum(extent[:, 0])
        before = end - extent[:, 0]
        indices = _find_excluded_indices(
            tf.gather(self._row_of, excluded), begin[:, 0], extent[:, 0], before
        )
        scores = _exclude(tf.concat(parts, axis=0)[:, 0], indices)

        def rows(at: tf.Tensor) -> tf.Tensor:
            leaf = tf.searchsorted(end, at, side="right")
            return tf.gather(begin[:, 0] - before, leaf) + at

        return self._best(scores, rows, allowed, width)

    def _scanned(
        self, query: tf.Tensor, excluded: tf.Tensor, allowed: tf.Tensor, width: tf.Tensor
    ) -> SearchResult:
        """Searches all rows."""
        scores = self._rows.all_products(self._rows.column(query))
        if self._rows.are_deviations:
            scores += self._means_of_rows(query)
        scores = tf.where(self._positions > 0, scores, -np.inf)
        scores = _exclude(scores, tf.gather(self._row_of, excluded))
        return self._best(scores, tf.identity, allowed, width)

    def _means_of_rows(self, query: tf.Tensor) -> tf.Tensor:
        """[r] the dot product of the query and the mean of each row's leaf."""
        begin = tf.concat([self._begin[:, 0], tf.shape(self._positions)], axis=0)
        return tf.repeat(tf.linalg.matvec(self._centroids, query), begin[1:] - begin[:-1])

    def _best(
        self, scores: tf.Tensor, rows: Rows, allowed: tf.Tensor, width: tf.Tensor
    ) -> SearchResult:
        """Selects the best of `scores` [m]; `rows` maps indices of scores to rows of the index."""

        def filtered() -> tf.Tensor:
            at = tf.gather(self._positions, rows(tf.range(tf.size(scores))))
            passes = match_categories(tf.gather(self._categories, at), allowed)
            return tf.where(passes, scores, -np.inf)

        scores = tf.cond(tf.reduce_any(allowed != 0), filtered, lambda: scores)
        best = tf.math.top_k(scores, tf.minimum(width, tf.size(scores)))
        at = tf.gather(self._positions, rows(best.indices))
        missing = [[0, width - tf.size(at)]]
        return (
            tf.pad(tf.where(tf.math.is_inf(best.values), 0, at), missing),
            tf.pad(best.values, missing, constant_values=-np.inf),
        )


def _find_excluded_indices(
    row: tf.Tensor, begin: tf.Tensor, size: tf.Tensor, before: tf.Tensor
) -> tf.Tensor:
    """Maps rows [e] to indices into the concatenation of the probed leaves [p]; a row of another
    leaf gets their total size.
    """
    within = row[:, tf.newaxis] - begin
    inside = (within >= 0) & (within < size)
    index = tf.reduce_sum(tf.where(inside, before + within, 0), axis=1)
    return tf.where(tf.reduce_any(inside, axis=1), index, tf.reduce_sum(size))


def _exclude(scores: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
    """Masks the scores [m] at `indices` [e] with -inf; index m is ignored."""
    worst = tf.fill(tf.shape(indices), tf.constant(-np.inf, scores.dtype))
    scores = tf.pad(scores, [[0, 1]])
    return tf.tensor_scatter_nd_update(scores, indices[:, tf.newaxis], worst)[:-1]


def _build_constant(values: np.ndarray, name: str) -> tf.Variable:
    return tf.Variable(values, trainable=False, name=name)
