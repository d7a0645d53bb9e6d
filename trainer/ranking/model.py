"""The multi-task loss of ranking: which candidate is the positive, and the value of each label."""

import tensorflow as tf
import tensorflow_recommenders as tfrs

from schema.labels import RankingLabel
from schema.signatures import CANDIDATES, RELEVANCE
from trainer.data.event_weights import WEIGHT
from trainer.ranking.bias_baseline import BiasBaseline
from trainer.ranking.network import RankingNetwork, get_label_scale
from trainer.training.model import EpochMetricsModel

_NO_ITEM = -1e9  # a logit whose exponential is 0 and whose product with 0 is still a number


class RankingModel(EpochMetricsModel):
    """Multi-task: the `relevance` head learns which candidate is the positive, and each label's
    head learns the label of the event.
    """

    def __init__(
        self,
        network: RankingNetwork,
        labels: dict[str, RankingLabel],
        baselines: dict[str, BiasBaseline],
    ):
        super().__init__()
        self.network = network
        self._labels = labels
        self._deviations = {name: get_label_scale(labels[name], baselines[name]) for name in labels}
        self._relevance = tfrs.tasks.Ranking(
            loss=tf.keras.losses.CategoricalCrossentropy(from_logits=True)
        )
        self._tasks = {
            name: tfrs.tasks.Ranking(loss=_create_loss(label)) for name, label in labels.items()
        }

    def weighted_loss(
        self, inputs: dict[str, tf.Tensor], training: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Sum over the examples of the heads' weighted losses, and the number of examples; NaN
        labels and candidates 0 are ignored. An event's weight applies to its `relevance` only.
        """
        outputs = self.network(inputs, training=training)
        shape = tf.shape(inputs[CANDIDATES])
        positive = tf.one_hot(tf.zeros_like(inputs[CANDIDATES][:, 0]), shape[1])
        logits = tf.where(inputs[CANDIDATES] > 0, outputs[RELEVANCE], _NO_ITEM)
        loss = self._relevance(
            labels=positive,
            predictions=logits,
            sample_weight=inputs.get(WEIGHT),
            compute_metrics=False,
        )
        for name, label in self._labels.items():
            value, predicted = inputs[f"label_{name}"], outputs[name][:, 0]
            known = tf.cast(~tf.math.is_nan(value), tf.float32)
            value = tf.where(tf.math.is_nan(value), tf.zeros_like(value), value)
            deviation = self._deviations[name]
            loss += label.weight * self._tasks[name](
                labels=_build_target(value, label)[:, tf.newaxis] / deviation,
                predictions=predicted[:, tf.newaxis] / deviation,
                sample_weight=known,
                compute_metrics=False,
            )
        count = tf.cast(shape[0], tf.float32)
        return loss * count, count


def _build_target(values: tf.Tensor, label: RankingLabel) -> tf.Tensor:
    return tf.cast(values >= label.at_least, tf.float32) if label.kind == "binary" else values


def _create_loss(label: RankingLabel) -> tf.keras.losses.Loss:
    if label.kind == "binary":
        return tf.keras.losses.BinaryCrossentropy(from_logits=True)
    return tf.keras.losses.MeanSquaredError()
