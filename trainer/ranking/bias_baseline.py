"""The rating predictor that any model must beat: global mean plus damped item and user biases."""

import dataclasses

import numpy as np

from schema.dataset import RankingLabel
from trainer.data.preprocessing import USER_VOCABULARY
from trainer.data.training_data import TrainingData
from trainer.ranking import labels as label_values

_DAMPING = 5.0


@dataclasses.dataclass(frozen=True)
class BiasBaseline:
    """b(u, i) = mean + item bias + user bias, each bias shrunk towards 0 by 5 imagined average
    ratings.

    Koren, Factor in the neighbors, TKDD 2010, section 2.1. Index 0 (unknown) has no bias.
    """

    mean: float
    deviation: float
    """Of the label, 1 for one that never varies."""
    items: np.ndarray
    users: np.ndarray

    def predict(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """[e] user and item indices -> [e] predicted label."""
        return self.mean + self.items[item] + self.users[user]


def fit(
    user: np.ndarray, item: np.ndarray, label: np.ndarray, users: int, items: int
) -> BiasBaseline:
    """[e] indices and labels without NaN; `users` and `items` count indices, 0 included."""
    mean = float(label.mean())
    item_bias = _shrunk(item, label - mean, items)
    user_bias = _shrunk(user, label - mean - item_bias[item], users)
    return BiasBaseline(mean, float(label.std()) or 1.0, item_bias, user_bias)


def of_training(data: TrainingData, name: str, label: RankingLabel) -> BiasBaseline:
    """Fitted on the train split's events that have the label, at least one; 0 and 1 for a binary
    one.
    """
    split = data.train
    chosen = label_values.known(split, name)
    known = label_values.target(split.labels[name][chosen], label)
    return fit(
        split.user_index[split.rows[chosen]],
        split.item_index[chosen],
        known,
        data.timelines_graph.vocabulary_size_by_name(USER_VOCABULARY) + 1,
        data.catalogue.size + 1,
    )


def _shrunk(index: np.ndarray, residual: np.ndarray, size: int) -> np.ndarray:
    total = np.bincount(index, weights=residual, minlength=size)
    bias = total / (np.bincount(index, minlength=size) + _DAMPING)
    bias[0] = 0.0
    return bias
