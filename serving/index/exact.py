"""Exact search: one matrix product over all candidates."""

from functools import partial

import numpy as np
import tensorflow as tf

from serving.index.base import SearchResult, fill_variable, search_each_query
from serving.index.eligibility import Eligibility, match_categories


class ExactIndex(tf.Module):
    """All indexes have this `search` method, and this one `search_among`; positions are 1-based, 0
    means no item.
    """

    kind = "exact"

    def __init__(self, vectors: np.ndarray, eligible: Eligibility | None = None):
        """`vectors` [n, dim] float32; item i has position i + 1. Without `eligible` all items are
        available and none has a category.
        """
        super().__init__()
        eligible = eligible or Eligibility.of_all(len(vectors))
        positions = np.pad(eligible.positions, (1, 0))  # row 0 is no item

        def part(begin: int, end: int) -> np.ndarray:
            chosen = vectors[np.maximum(positions[begin:end] - 1, 0)]
            return np.where(positions[begin:end, np.newaxis] > 0, chosen, 0)

        self._vectors = fill_variable(
            (len(positions), vectors.shape[1]), "float32", part, "vectors"
        )
        self._positions = tf.Variable(positions, trainable=False, name="positions")
        self._row_of = tf.Variable(
            eligible.rows(positions) % len(positions), trainable=False, name="row_of"
        )
        self._categories = tf.Variable(
            eligible.categories_by_position()[positions], trainable=False, name="categories"
        )

    def search(
        self, queries: tf.Tensor, excluded: tf.Tensor, allowed: tf.Tensor, k: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the best k items that are available, not excluded, and in an allowed category.

        Args:
            queries: Query vectors [b, dim].
            excluded: Positions of excluded items [b, e], padded with 0.
            allowed: Numbers of the allowed categories [b, a], padded with 0. A row of zeros allows
                all items; -1 is a category that no item has.
            k: Length of the lists [].

        Returns:
            Positions and scores [b, min(k, available)], best first. If fewer items are eligible,
            the rest has position 0 and score -inf.
        """
        scores = tf.linalg.matmul(queries, self._vectors, transpose_b=True)
        out = tf.pad(tf.gather(self._row_of, excluded), [[0, 0], [1, 0]])
        rows = tf.repeat(tf.range(tf.shape(out)[0]), tf.shape(out)[1])
        cells = tf.stack([rows, tf.reshape(out, [-1])], axis=1)
        worst = tf.fill([tf.shape(cells)[0]], tf.constant(-np.inf, scores.dtype))
        scores = tf.tensor_scatter_nd_update(scores, cells, worst)
        scores = tf.cond(
            tf.reduce_any(allowed != 0), lambda: self._filtered(scores, allowed), lambda: scores
        )
        best = tf.math.top_k(scores, tf.minimum(k, tf.shape(scores)[1] - 1))
        at = tf.gather(self._positions, best.indices)
        return tf.where(tf.math.is_inf(best.values), 0, at), best.values

    def search_among(
        self, queries: tf.Tensor, items: tf.Tensor, allowed: tf.Tensor, k: tf.Tensor
    ) -> SearchResult:
        """Finds the best k of given items that are available and in an allowed category.

        Scores only these items, so its cost does not depend on the size of the catalogue.

        Args:
            queries: Query vectors [b, dim].
            items: Positions of the items [b, i], padded with 0; an item that repeats is found once.
            allowed: As in `search`.
            k: Length of the lists [].

        Returns:
            As in `search`.
        """
        width = tf.minimum(k, tf.shape(self._positions)[0] - 1)
        return search_each_query(partial(self._search_among_one, width), (queries, items, allowed))

    def _search_among_one(
        self, width: tf.Tensor, query: tf.Tensor, items: tf.Tensor, allowed: tf.Tensor
    ) -> SearchResult:
        """[dim], [i], [a] -> [width] each."""
        rows = tf.sort(tf.pad(tf.gather(self._row_of, items), [[1, 0]]))
        row = tf.unique(rows).y[1:]  # without row 0, that of unavailable items and padding
        scores = tf.linalg.matvec(tf.gather(self._vectors, row), query)
        passes = match_categories(tf.gather(self._categories, row), allowed)
        best = tf.math.top_k(tf.where(passes, scores, -np.inf), tf.minimum(width, tf.size(scores)))
        at = tf.gather(self._positions, tf.gather(row, best.indices))
        at = tf.where(tf.math.is_inf(best.values), 0, at)
        missing = [[0, width - tf.size(at)]]
        return tf.pad(at, missing), tf.pad(best.values, missing, constant_values=-np.inf)

    def _filtered(self, scores: tf.Tensor, allowed: tf.Tensor) -> tf.Tensor:
        passes = tf.map_fn(
            lambda wanted: match_categories(self._categories.value(), wanted),
            allowed,
            fn_output_signature=tf.bool,
        )
        return tf.where(passes, scores, -np.inf)
