"""The part of popularity in the retrieval score while training."""

import tensorflow as tf

from trainer.refreshes import Refreshes


class Present(tf.keras.layers.Layer):
    """weight x log popularity of an item at the refresh before a query, as a product of columns.

    One column a refresh: the query has the weight in its own and 0 elsewhere, the item its
    popularity at each. So it passes through a task that knows vectors alone.
    """

    def __init__(self, refreshes: Refreshes):
        super().__init__(name="present")
        self._moments = tf.constant(refreshes.moments)
        self._of_items = tf.constant(refreshes.log_popularity.T)
        self.weight = self.add_weight(
            name="popularity_weight", shape=[], initializer="ones", dtype=tf.float32
        )

    def of_queries(self, timestamps: tf.Tensor) -> tf.Tensor:
        """[n] seconds since epoch, UTC -> [n, refreshes]; a time before the first takes the
        first.
        """
        latest = tf.searchsorted(self._moments, tf.cast(timestamps, tf.int64), side="right") - 1
        return self.weight * tf.one_hot(tf.maximum(latest, 0), tf.size(self._moments))

    def of_items(self, index: tf.Tensor) -> tf.Tensor:
        """[c] -> [c, refreshes]."""
        return tf.gather(self._of_items, index)
