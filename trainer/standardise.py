"""Features of mean 0 and deviation 1."""

import numpy as np
import tensorflow as tf

_LEAST = 1e-4


class Standardise(tf.keras.layers.Layer):
    """[m, width] -> [m, width] minus the mean, over the deviation, both of a sample.

    A feature that never varied in the sample is 0 for ever: divided by its deviation of nearly
    nothing any later value of it would drown all others.
    """

    def build(self, input_shape: tf.TensorShape) -> None:
        """Until `adapt` all features stay as they are."""
        width = input_shape[-1]
        self._mean = self.add_weight("mean", [width], None, "zeros", trainable=False)
        self._scale = self.add_weight("scale", [width], None, "ones", trainable=False)
        super().build(input_shape)

    def adapt(self, sample: np.ndarray) -> None:
        """Takes mean and deviation of `sample` [m, width]."""
        if not self.built:
            self.build(tf.TensorShape(sample.shape))
        mean, deviation = sample.mean(0, np.float64), sample.std(0, dtype=np.float64)
        varied = deviation > _LEAST * (1 + np.abs(mean))
        self._mean.assign(mean)
        self._scale.assign(np.where(varied, 1 / np.where(varied, deviation, 1), 0))

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """See the class."""
        return (values - self._mean) * self._scale
