"""The bias baseline for labels, global mean plus damped item and user biases; and the same as a
Keras layer, whose prediction each label's head corrects.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from schema.labels import RankingLabel
from trainer.data.preprocessing import USER_VOCABULARY
from trainer.data.training_data import TrainingData
from trainer.ranking.labels import compute_target, find_labelled

_DAMPING = 5.0
_MIN_PROBABILITY = 0.01


@dataclasses.dataclass(frozen=True)
class BiasBaseline:
    """b(u, i) = mean + item bias + user bias, each bias shrunk towards 0 as if by 5 additional
    average ratings.

    Koren, Factor in the neighbors, TKDD 2010, section 2.1. Index 0 (unknown) has no bias.
    """

    mean: float
    deviation: float
    """Standard deviation of the label; 1 for a constant label."""
    items: np.ndarray
    users: np.ndarray

    def predict(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """[e] user and item indices -> [e] predicted label."""
        return self.mean + self.items[item] + self.users[user]


def fit_biases(
    user: np.ndarray, item: np.ndarray, label: np.ndarray, users: int, items: int
) -> BiasBaseline:
    """Fits the biases, items first.

    Args:
        user: [e] user indices.
        item: [e] item indices.
        label: [e] labels without NaN; at least one.
        users: number of user indices, including 0.
        items: number of item indices, including 0.
    """
    mean = float(label.mean())
    item_bias = _shrink_means(item, label - mean, items)
    user_bias = _shrink_means(user, label - mean - item_bias[item], users)
    return BiasBaseline(mean, float(label.std()) or 1.0, item_bias, user_bias)


def fit_label_baseline(data: TrainingData, name: str, label: RankingLabel) -> BiasBaseline:
    """The baseline fitted on the train split's events with the label, at least one; a binary label
    is 0 or 1.
    """
    split = data.train
    chosen = find_labelled(split, name)
    target = compute_target(split.labels[name][chosen], label)
    return fit_biases(
        split.user_index[split.rows[chosen]],
        split.item_index[chosen],
        target,
        data.timelines_graph.vocabulary_size_by_name(USER_VOCABULARY) + 1,
        data.catalogue.size + 1,
    )


def _shrink_means(index: np.ndarray, residual: np.ndarray, size: int) -> np.ndarray:
    total = np.bincount(index, weights=residual, minlength=size)
    bias = total / (np.bincount(index, minlength=size) + _DAMPING)
    bias[0] = 0.0
    return bias


class BiasLayer(tf.keras.layers.Layer):
    """User index [b, 1] and item index [b, c] -> [b, c] label or its logit; not trainable."""

    def __init__(self, baseline: BiasBaseline, binary: bool):
        """With `binary` the prediction is a probability, clipped to [0.01, 0.99]."""
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
        value = tf.clip_by_value(value, _MIN_PROBABILITY, 1 - _MIN_PROBABILITY)
        return tf.math.log(value) - tf.math.log1p(-value)
