"""Adam with a step cost proportional to the batch, not to the catalogue."""

import tensorflow as tf


class SparseAdam(tf.keras.optimizers.Adam):
    """Adam that updates only the embedding rows that a step has a gradient for (lazy Adam).

    Keras' Adam decays the moments of every row and moves every row at every step, at a cost
    proportional to the whole table. Here a row's moments do not change until its next gradient.
    Variables with dense gradients are treated as in Kingma and Ba, Adam, ICLR 2015.
    """

    def update_step(self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable) -> None:
        """Applies one gradient; Keras makes the rows of IndexedSlices distinct."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable)
            return
        index = self._index_dict[self._var_key(variable)]
        first, second = self._momentums[index], self._velocities[index]
        rows, values = gradient.indices, gradient.values
        mean = self.beta_1 * tf.gather(first, rows) + (1 - self.beta_1) * values
        square = self.beta_2 * tf.gather(second, rows) + (1 - self.beta_2) * values**2
        first.scatter_update(tf.IndexedSlices(mean, rows))
        second.scatter_update(tf.IndexedSlices(square, rows))
        change = self._rate(variable.dtype) * mean / (tf.sqrt(square) + self.epsilon)
        variable.scatter_sub(tf.IndexedSlices(change, rows))

    def _rate(self, dtype: tf.DType) -> tf.Tensor:
        """The learning rate with the bias correction of both moments."""
        step = tf.cast(self.iterations + 1, dtype)
        rate = tf.cast(self.learning_rate, dtype)
        return rate * tf.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
