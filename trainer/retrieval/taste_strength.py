"""How strongly taste counts beside the popularity prior, given what is known of the user."""

import math

import tensorflow as tf

from trainer.layers.features import INDEX_KINDS, FeatureSpec


class TasteStrength(tf.keras.layers.Layer):
    """Evidence [..., columns], none of it negative -> strength [..., 1] from 0 to 1, in float32
    whatever the precision of the model.

    strength = 1 - exp(-sum of rate x evidence), with learned positive rates: 0 without evidence,
    and more evidence never gives less strength.
    """

    def __init__(self, columns: int, name: str):
        """`columns` is the number of kinds of evidence."""
        super().__init__(name=name, dtype="float32")
        self._columns = columns

    def build(self, input_shape: tf.TensorShape) -> None:
        """Creates the rates, initially 1."""
        self._rates = self.add_weight(
            name="rates",
            shape=[self._columns],
            initializer=tf.keras.initializers.Constant(math.log(math.e - 1)),  # its softplus is 1
        )
        super().build(input_shape)

    def call(self, evidence: tf.Tensor) -> tf.Tensor:
        """See the class."""
        total = tf.reduce_sum(evidence * tf.nn.softplus(self._rates), axis=-1, keepdims=True)
        return -tf.math.expm1(-total)


def measure_history(count: tf.Tensor, log_gaps: tf.Tensor) -> tf.Tensor:
    """Evidence of histories, [b, t, 2]: log(1 + known events), and the recency of the latest one:
    1 at the moment of the query, less with each hour, 0 without an event.

    Args:
        count: [b, t] known events before each position.
        log_gaps: [b, t] log(1 + hours since the latest of them).
    """
    known = tf.cast(count, tf.float32)
    recency = tf.cast(count > 0, tf.float32) / (1.0 + tf.cast(log_gaps, tf.float32))
    return tf.stack([tf.math.log1p(known), recency], axis=-1)


def find_present(values: tf.Tensor, feature: FeatureSpec) -> tf.Tensor:
    """[...] float32: 1 where a feature has a value, 0 where it is missing or unknown.

    Inputs are those of `FeatureEncoder`: [..., n] for several values, of which n may be 0. A number
    that equals the mean is as good as a missing one.
    """
    present = values != 0
    several = feature.kind == "vector" or feature.kind in INDEX_KINDS - {"category"}
    return tf.cast(tf.reduce_any(present, axis=-1) if several else present, tf.float32)
