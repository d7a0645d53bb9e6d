"""The rating predictor that any model must beat: global mean plus damped item and user biases."""

import dataclasses

import numpy as np

_DAMPING = 5.0


@dataclasses.dataclass(frozen=True)
class BiasBaseline:
    """b(u, i) = mean + item bias + user bias, each bias shrunk towards 0 by 5 imagined average
    ratings.

    Koren, Factor in the neighbors, TKDD 2010, section 2.1. Index 0 (unknown) has no bias.
    """

    mean: float
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
    return BiasBaseline(mean, item_bias, user_bias)


def _shrunk(index: np.ndarray, residual: np.ndarray, size: int) -> np.ndarray:
    total = np.bincount(index, weights=residual, minlength=size)
    bias = total / (np.bincount(index, minlength=size) + _DAMPING)
    bias[0] = 0.0
    return bias
