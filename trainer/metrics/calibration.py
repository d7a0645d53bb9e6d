"""Calibration of probabilities: Platt scaling, and the expected calibration error."""

import dataclasses

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

BINS = 10
Bin = dict[str, float]


@dataclasses.dataclass(frozen=True)
class PlattScaling:
    """P(y = 1 | logit) = sigmoid(slope * logit + intercept).

    Platt, Probabilistic outputs for support vector machines, 1999; for networks Guo et al., On
    calibration of modern neural networks, ICML 2017.
    """

    slope: float = 1.0
    intercept: float = 0.0


def fit_platt_scaling(logits: np.ndarray, outcomes: np.ndarray) -> PlattScaling | None:
    """Maximum-likelihood scaling for [e] logits and their outcomes, 0 or 1, of held-out events;
    None unless both outcomes occur.

    As in Platt, the targets are (n1 + 1) / (n1 + 2) and 1 / (n0 + 2) instead of 1 and 0, so that
    few events do not give certainties. The slope is at least 0: a negative one would reverse the
    order.
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

    fit = minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=[(0, None), (None,) * 2])
    return PlattScaling(float(fit.x[0]), float(fit.x[1]))


def compute_reliability(predicted: np.ndarray, outcomes: np.ndarray) -> list[Bin]:
    """[e] probabilities and outcomes, 0 or 1 -> bins of (nearly) equal numbers of events, by
    ascending probability.

    Each bin has `low` and `high`, its least and greatest prediction; `predicted` and `observed`,
    the means; and `events`. Ten bins; fewer for fewer than ten events; none without events.
    """
    order = np.argsort(predicted, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    return [_describe_bin(predicted[part].astype(np.float64), outcomes[part]) for part in parts]


def compute_calibration_error(bins: list[Bin]) -> float:
    """Mean of |observed - predicted| over the bins, weighted by events: 0 is best, 1 worst.

    Naeini et al., Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015, with
    their bins of equal frequency. Raises ZeroDivisionError without bins.
    """
    error = sum(each["events"] * abs(each["observed"] - each["predicted"]) for each in bins)
    return float(error / sum(each["events"] for each in bins))


def _describe_bin(predicted: np.ndarray, outcomes: np.ndarray) -> Bin:
    return {
        "low": float(predicted[0]),
        "high": float(predicted[-1]),
        "predicted": float(predicted.mean()),
        "observed": float(outcomes.mean()),
        "events": len(predicted),
    }
