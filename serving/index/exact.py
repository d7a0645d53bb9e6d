"""Exact search: one matrix product over all candidates."""

import numpy as np
import tensorflow as tf

from serving.index.base import fill_variable
from serving.index.eligibility import Eligibility, match_categories


class ExactIndex(tf.Module):
    """All indexes have this `search` method; positions are 1-based, 0 means no item."""

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

    def _filtered(self, scores: tf.Tensor, allowed: tf.Tensor) -> tf.Tensor:
        passes = tf.map_fn(
            lambda wanted: match_categories(self._categories.value(), wanted),
            allowed,
            fn_output_signature=tf.bool,
        )
        return tf.where(passes, scores, -np.inf)
