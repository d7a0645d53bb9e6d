"""The linear score that relevance starts from: retrieval's score and that of item transitions,
weighted by a conditional logit.

The network, trained on few events, would overfit before its steps had moved these weights to their
best values.
"""

import numpy as np
import tensorflow as tf
from scipy.optimize import minimize
from scipy.special import logsumexp

_RIDGE = 1e-4


class RelevanceStart(tf.keras.layers.Layer):
    """[b, c, f] retrieval's score and further scores -> [b, c] their weighted sum.

    Initially it is retrieval's score. Training adjusts the weights together with the network.
    """

    def build(self, input_shape: tf.TensorShape) -> None:
        """Creates the weights 1, 0, …"""
        initial = tf.keras.initializers.Constant(np.eye(input_shape[-1])[0])
        self._weights = self.add_weight("weights", [input_shape[-1]], None, initial)
        super().build(input_shape)

    def fit(self, features: np.ndarray, is_item: np.ndarray, weight: np.ndarray | None) -> None:
        """Sets the weights by `fit_conditional_logit`."""
        if not self.built:
            self.build(tf.TensorShape(features.shape))
        self._weights.assign(fit_conditional_logit(features, is_item, weight))

    def call(self, features: tf.Tensor) -> tf.Tensor:
        """See the class."""
        return tf.linalg.matvec(features, self._weights)


def fit_conditional_logit(
    features: np.ndarray, is_item: np.ndarray, weight: np.ndarray | None = None
) -> np.ndarray:
    """[f] weights >= 0 that maximise the likelihood of choosing column 0 among the items of each
    row, with a slight penalty on their squares (of standardised features).

    McFadden, Conditional logit analysis of qualitative choice behavior, 1974; the weights are
    consistent where the other columns are a uniform sample of the alternatives (McFadden, Modelling
    the choice of residential location, 1978).

    Args:
        features: [m, c, f] of the items.
        is_item: [m, c] bool; column 0 is the chosen item, others may be empty.
        weight: [m] weight of each row; None if all are alike.
    """
    deviation = features[is_item].std(axis=0, dtype=np.float64)
    scale = np.where(deviation > 0, 1 / np.where(deviation > 0, deviation, 1), 0)
    x = features * scale
    rows = np.ones(len(x)) if weight is None else weight.astype(np.float64)
    rows = rows / rows.sum()

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        logits = np.where(is_item, x @ weights, -np.inf)
        total = np.asarray(logsumexp(logits, axis=1, keepdims=True))
        error = np.exp(logits - total)
        error[:, 0] -= 1
        gradient = np.einsum("m,mc,mcf->f", rows, error, x) + 2 * _RIDGE * weights
        return float(rows @ (total[:, 0] - logits[:, 0]) + _RIDGE * weights @ weights), gradient

    initial = np.zeros(x.shape[-1])
    bounds = [(0, None)] * len(initial)
    return minimize(loss, initial, jac=True, method="L-BFGS-B", bounds=bounds).x * scale
