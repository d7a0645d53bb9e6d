"""How alike a candidate is to what its user took last."""

import tensorflow as tf

RECENT = 5


class RecentSimilarity(tf.keras.layers.Layer):
    """History [b, n] and candidates [b, c] as item indices, and item vectors [items + 1, dim] ->
    [b, c, 3]: cosine with the latest known item, and the greatest and the mean cosine with the
    latest five.

    0 stands for an unknown item anywhere in a history and is passed over; where nothing is left,
    and for a candidate 0, all three are 0.
    """

    def call(self, vectors: tf.Tensor, history: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
        """See the class."""
        recent = latest_known(history)
        direction = tf.math.l2_normalize(tf.gather(vectors, candidates), axis=-1)
        taken = tf.math.l2_normalize(tf.gather(vectors, recent), axis=-1)
        cosine = tf.einsum("bcd,brd->bcr", direction, taken)
        known = tf.cast(recent > 0, cosine.dtype)[:, tf.newaxis]
        mean = tf.math.divide_no_nan(tf.reduce_sum(cosine * known, -1), tf.reduce_sum(known, -1))
        greatest = tf.reduce_max(tf.where(known > 0, cosine, -1.0), axis=-1)
        anything = tf.logical_and(known[..., 0] > 0, candidates > 0)
        greatest = tf.where(anything, greatest, 0.0)
        return tf.stack([cosine[..., 0], greatest, mean], axis=-1)


def latest_known(history: tf.Tensor) -> tf.Tensor:
    """[b, n], oldest first -> [b, 5] the latest indices that are not 0, the latest first; 0 where
    there are fewer.
    """
    history = tf.pad(history, [[0, 0], [RECENT, 0]])
    place = tf.range(1, tf.shape(history)[1] + 1)
    best = tf.math.top_k(tf.where(history > 0, place, 0), RECENT)
    found = tf.gather(history, tf.maximum(best.values - 1, 0), batch_dims=1)
    return tf.where(best.values > 0, found, 0)
