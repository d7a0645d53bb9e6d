"""Exact search: one matrix product over all candidates."""

import numpy as np
import tensorflow as tf


class ExactIndex(tf.Module):
    """Every index is asked alike; positions are 1-based, 0 stands for no item."""

    kind = "exact"

    def __init__(self, vectors: np.ndarray):
        """`vectors` [n, dim] float32; item i stands in row i - 1."""
        super().__init__()
        self._vectors = tf.Variable(
            np.pad(vectors, [(1, 0), (0, 0)]), trainable=False, name="vectors"
        )

    def search(
        self, queries: tf.Tensor, excluded: tf.Tensor, k: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """[b, dim], excluded positions [b, e] (0 for none) -> positions and scores [b, min(k,
        n)], best first.

        Where fewer eligible items exist the rest is position 0 with score -inf.
        """
        scores = tf.linalg.matmul(queries, self._vectors, transpose_b=True)
        out = tf.pad(excluded, [[0, 0], [1, 0]])  # position 0 is nobody's
        rows = tf.repeat(tf.range(tf.shape(out)[0]), tf.shape(out)[1])
        places = tf.stack([rows, tf.reshape(out, [-1])], axis=1)
        worst = tf.fill([tf.shape(places)[0]], tf.constant(-np.inf, scores.dtype))
        scores = tf.tensor_scatter_nd_update(scores, places, worst)
        best = tf.math.top_k(scores, tf.minimum(k, tf.shape(scores)[1] - 1))
        return tf.where(tf.math.is_inf(best.values), 0, best.indices), best.values
