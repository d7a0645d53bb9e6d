"""Are these lists better than those? Differences user by user, and a verdict.

Both lists answer the same users, so each user's difference is taken first and the users are
resampled after that: what makes a user easy or hard falls out, and smaller differences show than
by two intervals side by side (Sakai, Evaluating evaluation metrics based on the bootstrap, SIGIR
2006).
"""

import dataclasses
from collections.abc import Mapping
from typing import Literal

import numpy as np

from trainer.metrics import confidence

FEWEST_USERS = 50
"""With fewer the percentile bootstrap's intervals are too narrow to be relied on."""

Verdict = Literal["better", "worse", "inside the noise", "too few users"]


@dataclasses.dataclass(frozen=True)
class Difference:
    """Ours minus theirs in one metric, and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float
    users: int
    verdict: Verdict


def compare(
    ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray], seed: int
) -> dict[str, Difference]:
    """Differences in the metrics of `ours`, which are [users] each, and more is better.

    `theirs` has the same metrics of the same users in the same order. Each verdict has its own
    error of 5 %: of twenty metrics of equally good lists one may well look better or worse.
    """
    users = len(next(iter(ours.values())))
    found = confidence.means({name: values - theirs[name] for name, values in ours.items()}, seed)
    return {
        name: Difference(each.value, each.low, each.high, users, verdict(each, users))
        for name, each in found.items()
    }


def verdict(difference: confidence.Interval, users: int) -> Verdict:
    """`inside the noise` when the interval holds 0, its bounds included."""
    if users < FEWEST_USERS:
        return "too few users"
    if difference.low > 0:
        return "better"
    return "worse" if difference.high < 0 else "inside the noise"
