"""A TFRS model with metrics that are means over the epoch."""

import tensorflow as tf
import tensorflow_recommenders as tfrs

from trainer.training.distribution import sum_over_replicas


class EpochMetricsModel(tfrs.Model):
    """Reports the means of loss and gradient norm over the whole epoch.

    (`tfrs.Model` reports the loss of the last batch only.) With several replicas the gradient is
    that of the mean loss over the global batch.
    """

    def __init__(self) -> None:
        super().__init__()
        self._mean_loss = tf.keras.metrics.Mean("loss")
        self._mean_norm = tf.keras.metrics.Mean("gradient_norm")
        # The means already cover all replicas; the default would sum them over the workers.
        self.distribute_reduction_method = "first"

    def weighted_loss(
        self, inputs: dict[str, tf.Tensor], training: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Sum of the losses of this replica's examples, and the sum of their weights."""
        raise NotImplementedError

    def compute_loss(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """This replica's part of the mean loss over the global batch; 0 where it has no example."""
        loss, weight = self.weighted_loss(inputs, training)
        return loss / tf.maximum(sum_over_replicas(weight), 1.0)

    @tf.autograph.experimental.do_not_convert  # translating Python takes longer than an epoch
    def train_step(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Updates the weights once and returns the means so far. A row that occurs twice in a
        sparse gradient counts twice in the norm.
        """
        variables = self.trainable_variables
        with tf.GradientTape() as tape:
            loss, weight = self.weighted_loss(inputs, training=True)
            part = loss / tf.maximum(sum_over_replicas(weight), 1.0)
        pairs = self.optimizer.aggregate_gradients(
            list(zip(tape.gradient(part, variables), variables, strict=True))
        )
        self.optimizer.apply_gradients(pairs, skip_gradients_aggregation=True)
        self._mean_norm.update_state(
            tf.linalg.global_norm([gradient for gradient, _ in pairs if gradient is not None])
        )
        return self._update_loss(loss, weight) | {"gradient_norm": self._mean_norm.result()}

    @tf.autograph.experimental.do_not_convert
    def test_step(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The mean loss so far."""
        return self._update_loss(*self.weighted_loss(inputs, training=False))

    def _update_loss(self, loss: tf.Tensor, weight: tf.Tensor) -> dict[str, tf.Tensor]:
        self._mean_loss.update_state(loss / tf.maximum(weight, 1.0), weight)
        return {"loss": self._mean_loss.result()}
