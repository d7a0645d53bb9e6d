"""The interval of a mean difference whose observations share users and periods of time."""

import numpy as np
from scipy import stats

from trainer.metrics.confidence import Difference, Interval, decide_verdict


def compare_clustered(differences: np.ndarray, user: np.ndarray, period: np.ndarray) -> Difference:
    """Mean difference with a 95 % interval that is clustered by user and by period.

    Each user has the same weight. What happens in a period, such as one new popular item, moves all
    its users together: many users of one period say little about the next. Two-way clustered
    variance: Cameron, Gelbach and Miller, Robust inference with multiway clustering, Journal of
    Business and Economic Statistics 2011, with Student's t for the smaller number of clusters. A
    single period is clustered by user only; the interval of a single cluster is the mean alone.

    Args:
        differences: [n] one observation per user and period.
        user: [n] the observation's user.
        period: [n] the observation's period.
    """
    users, user = np.unique(user, return_inverse=True)
    periods, period = np.unique(period, return_inverse=True)
    weight = 1 / np.bincount(user)[user]
    value = float((weight * differences).sum() / weight.sum())
    residuals = weight * (differences - value)
    by_user, by_period = _sum_squares(residuals, user), _sum_squares(residuals, period)
    both = by_user + by_period - (residuals**2).sum()
    clusters = len(users) if len(periods) == 1 else min(len(users), len(periods))
    variance = by_user if len(periods) == 1 else max(both, by_user, by_period)
    half = 0.0
    if clusters > 1:
        half = stats.t.ppf(0.975, clusters - 1) * np.sqrt(variance) / weight.sum()
    interval = Interval(value, float(value - half), float(value + half))
    verdict = decide_verdict(interval, len(users))
    return Difference(value, interval.low, interval.high, len(users), verdict)


def _sum_squares(residuals: np.ndarray, cluster: np.ndarray) -> float:
    """Sum over clusters of the squared sum of residuals, corrected for the number of clusters."""
    sums = np.bincount(cluster, weights=residuals)
    return float((sums**2).sum()) * len(sums) / max(len(sums) - 1, 1)
