"""The part of popularity in the retrieval score while training."""

import tensorflow as tf

from trainer.data.popularity import SECONDS_PER_DAY
from trainer.refreshes import Refreshes


class Present(tf.keras.layers.Layer):
    """weight x log popularity of an item shortly before a query, as a product of columns.

    Served popularity is as old as its last refresh. So is what training sees: at an age drawn
    evenly between 0 and `refresh_days`, and so it learns not to trust the last hours too much.

    One column a refresh: the query has the weight in its own and 0 elsewhere, the item its
    popularity at each. So it passes through a task that knows vectors alone.
    """

    def __init__(self, refreshes: Refreshes, refresh_days: float):
        super().__init__(name="present")
        self._oldest = refresh_days * SECONDS_PER_DAY
        self._moments = tf.constant(refreshes.moments)
        self._of_items = tf.constant(refreshes.log_popularity.T)
        self.weight = self.add_weight(
            name="popularity_weight", shape=[], initializer="ones", dtype=tf.float32
        )

    def of_queries(self, timestamps: tf.Tensor, training: bool) -> tf.Tensor:
        """[n] seconds since epoch, UTC -> [n, refreshes]; a time before the first takes the
        first. Without `training` popularity is as fresh as it can be.
        """
        known = tf.cast(timestamps, tf.int64)
        if training:
            age = tf.random.uniform(tf.shape(known), maxval=self._oldest)
            known -= tf.cast(age, tf.int64)
        latest = tf.searchsorted(self._moments, known, side="right") - 1
        return self.weight * tf.one_hot(tf.maximum(latest, 0), tf.size(self._moments))

    def of_items(self, index: tf.Tensor) -> tf.Tensor:
        """[c] -> [c, refreshes]."""
        return tf.gather(self._of_items, index)
