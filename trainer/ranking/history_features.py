"""Scalar features of a candidate and the history: similarity to recent items, and repetition."""

import tensorflow as tf

RECENT_ITEMS = 5


class RecentSimilarity(tf.keras.layers.Layer):
    """History [b, n] and candidates [b, c] as item indices, and item vectors [items + 1, dim] ->
    [b, c, 3]: cosine with the latest known item, and the greatest and the mean cosine with the
    latest five.

    Index 0 is an unknown item and is skipped; with no known item in the history, and for a
    candidate 0, all three are 0.
    """

    def call(self, vectors: tf.Tensor, history: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
        """See the class."""
        recent = select_latest_known(history)
        direction = tf.math.l2_normalize(tf.gather(vectors, candidates), axis=-1)
        interacted = tf.math.l2_normalize(tf.gather(vectors, recent), axis=-1)
        cosine = tf.einsum("bcd,brd->bcr", direction, interacted)
        known = tf.cast(recent > 0, cosine.dtype)[:, tf.newaxis]
        mean = tf.math.divide_no_nan(tf.reduce_sum(cosine * known, -1), tf.reduce_sum(known, -1))
        greatest = tf.reduce_max(tf.where(known > 0, cosine, -1.0), axis=-1)
        defined = tf.logical_and(known[..., 0] > 0, candidates > 0)
        greatest = tf.where(defined, greatest, 0.0)
        return tf.stack([cosine[..., 0], greatest, mean], axis=-1)


def count_occurrences(history: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
    """History [b, n] and candidates [b, c] as item indices -> [b, c] float32 log(1 + number of the
    history's events on the candidate), 0 for a candidate 0.

    How often an item was consumed is the strongest predictor of its repeated consumption: Hu et
    al., Modeling personalized item frequency information for next-basket recommendation, SIGIR
    2020.
    """
    same = history[:, tf.newaxis, :] == candidates[..., tf.newaxis]
    times = tf.reduce_sum(tf.cast(same, tf.float32), axis=-1)
    return tf.where(candidates > 0, tf.math.log1p(times), 0.0)


def select_latest_known(history: tf.Tensor) -> tf.Tensor:
    """[b, n], oldest first -> [b, 5] the latest indices that are not 0, the latest first, padded
    with 0.
    """
    history = tf.pad(history, [[0, 0], [RECENT_ITEMS, 0]])
    position = tf.range(1, tf.shape(history)[1] + 1)
    latest = tf.math.top_k(tf.where(history > 0, position, 0), RECENT_ITEMS)
    items = tf.gather(history, tf.maximum(latest.values - 1, 0), batch_dims=1)
    return tf.where(latest.values > 0, items, 0)
