"""The bias baseline as a layer: what a label's head starts from."""

import numpy as np
import tensorflow as tf

from trainer.ranking.bias_baseline import BiasBaseline

_CLIP = 0.01


class BiasLayer(tf.keras.layers.Layer):
    """User index [b, 1] and item index [b, c] -> [b, c] label, or its logit; not trained."""

    def __init__(self, baseline: BiasBaseline, binary: bool):
        """`binary` reads the prediction as a probability, kept 0.01 away from 0 and 1."""
        super().__init__()
        self._mean = baseline.mean
        self._users = tf.Variable(baseline.users.astype(np.float32), trainable=False)
        self._items = tf.Variable(baseline.items.astype(np.float32), trainable=False)
        self._binary = binary

    def call(self, user: tf.Tensor, item: tf.Tensor) -> tf.Tensor:
        """See the class."""
        value = self._mean + tf.gather(self._users, user) + tf.gather(self._items, item)
        if not self._binary:
            return value
        value = tf.clip_by_value(value, _CLIP, 1 - _CLIP)
        return tf.math.log(value) - tf.math.log1p(-value)
