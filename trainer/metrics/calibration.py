"""Scores made into probabilities that come true."""

import dataclasses

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit


@dataclasses.dataclass(frozen=True)
class PlattScaling:
    """P(y = 1 | logit) = sigmoid(slope * logit + intercept).

    Platt, Probabilistic outputs for support vector machines, 1999; for networks Guo et al., On
    calibration of modern neural networks, ICML 2017.
    """

    slope: float = 1.0
    intercept: float = 0.0


def fit(logits: np.ndarray, outcomes: np.ndarray) -> PlattScaling | None:
    """The most likely scaling for [e] logits and their outcomes, 0 or 1, of events that have not
    fitted the logits; None where they are not of both kinds.

    As Platt has it the targets are (n1 + 1) / (n1 + 2) and 1 / (n0 + 2), not 1 and 0, so that few
    events give no certainties. A slope below 0, which would turn the order round, is held at 0.
    """
    ones = int(outcomes.sum())
    zeros = len(outcomes) - ones
    if not ones or not zeros:
        return None
    target = np.where(outcomes > 0, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    x = logits.astype(np.float64)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        z = parameters[0] * x + parameters[1]
        error = expit(z) - target
        return float(np.mean(np.logaddexp(0, z) - target * z)), np.array(
            [np.mean(error * x), np.mean(error)]
        )

    found = minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=[(0, None), (None,) * 2])
    return PlattScaling(float(found.x[0]), float(found.x[1]))
