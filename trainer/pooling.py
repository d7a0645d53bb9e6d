"""Histories read by mean pooling."""

import tensorflow as tf


def mean_before(item_vectors: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """Mean of the known items' vectors before each position.

    [b, t, dim] and [b, t] bool -> [b, t, dim]; 0 where nothing stands before.
    """
    weight = tf.cast(known, item_vectors.dtype)[..., tf.newaxis]
    total = tf.cumsum(item_vectors * weight, axis=1, exclusive=True)
    return tf.math.divide_no_nan(total, tf.cumsum(weight, axis=1, exclusive=True))
