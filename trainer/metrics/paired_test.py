"""Tests of paired differences in many slices at once.

In a slice the one-sided t-test replaces the bootstrap: on differences of retrieval metrics both
have nearly the same p-values (Smucker et al., A comparison of statistical significance tests for
information retrieval evaluation, CIKM 2007), and the t-test also resolves the small ones that a
correction for many tests requires.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

_TAIL = 0.975


@dataclasses.dataclass(frozen=True)
class PairedMean:
    """Mean difference over users, and the bounds of its 95 % interval (Student's t)."""

    value: float
    low: float
    high: float
    standard_error: float


def measure_paired(ours: np.ndarray, theirs: np.ndarray) -> PairedMean:
    """The mean of `ours` minus `theirs`, [users] each; at least two users."""
    difference = ours - theirs
    users = len(difference)
    error = float(difference.std(ddof=1)) / math.sqrt(users)
    mean, half = float(difference.mean()), float(stats.t.ppf(_TAIL, users - 1)) * error
    return PairedMean(mean, mean - half, mean + half, error)


def compute_p_value(value: float, standard_error: float, users: int) -> float:
    """Probability of a mean difference as low as `value` if the true one were 0."""
    if not standard_error:
        return 0.0 if value < 0 else 1.0
    return float(stats.t.cdf(value / standard_error, users - 1))


def adjust_by_holm(p_values: Sequence[float]) -> list[float]:
    """p-values [m] -> [m] adjusted ones, in the same order, at most 1.

    To reject those below a level falsely rejects any hypothesis with at most this probability,
    however the tests depend on each other (Holm, A simple sequentially rejective multiple test
    procedure, Scandinavian Journal of Statistics, 1979).
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.maximum.accumulate(np.asarray(p_values, float)[order] * factors)
    return np.minimum(adjusted, 1.0).tolist()
