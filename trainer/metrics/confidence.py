"""Confidence intervals of means over users, and verdicts on paired differences.

Intervals are percentile bootstrap intervals (Efron and Tibshirani, An introduction to the
bootstrap, 1993, chapter 13). Users rather than events are resampled, with replacement, since the
events of one user depend on each other. The same seed and number of users give the same draws, so
the same values always have the same interval. With few users the intervals are too narrow. Values
that are all equal give an interval of width 0, which does not mean certainty: with 0 hits of n the
true rate may well be 3 / n.

To compare two sets of lists for the same users, the difference is computed per user before users
are resampled. How easy or hard a user is cancels out, so smaller differences become visible than by
comparing two intervals (Sakai, Evaluating evaluation metrics based on the bootstrap, SIGIR 2006).
"""

import dataclasses
from collections.abc import Mapping
from typing import Literal

import numpy as np

RESAMPLES = 1000
_LEVEL = 95.0
_BLOCKS = 5_000
_DRAWS = 4_000_000
MIN_USERS = 50
"""With fewer users the percentile bootstrap's intervals are too narrow to be reliable."""
Verdict = Literal["better", "worse", "inside the noise", "too few users"]


@dataclasses.dataclass(frozen=True)
class Interval:
    """A value and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


def compute_mean_intervals(columns: Mapping[str, np.ndarray], seed: int) -> dict[str, Interval]:
    """Intervals of the means of the columns, [users] each; needs a column and a user."""
    users = len(next(iter(columns.values())))
    return compute_ratio_intervals(columns, np.ones(users), seed)


def compute_ratio_intervals(
    columns: Mapping[str, np.ndarray], weight: np.ndarray, seed: int
) -> dict[str, Interval]:
    """Intervals of sum(column) / sum(weight) over users, [users] each; all weights > 0.

    A metric of relevant items, of which a user has several, is averaged over items but resampled by
    user.
    """
    table = np.column_stack(list(columns.values())).astype(float)
    low, high = compute_bounds(_resample_ratios(table, weight, seed))
    value = table.sum(axis=0) / weight.sum()
    rows = zip(value.tolist(), low.tolist(), high.tolist(), strict=True)
    return {name: Interval(*row) for name, row in zip(columns, rows, strict=True)}


def _sum_blocks(table: np.ndarray, seed: int) -> np.ndarray:
    """[users, m] -> [at most _BLOCKS, m] sums over random groups of users.

    Groups of independent users are independent, and this many of them estimate the spread as well
    as the users themselves, at a bounded cost (Chamandy et al., Estimating uncertainty for massive
    data streams, 2012).
    """
    users = len(table)
    if users <= _BLOCKS:
        return table
    order = np.random.default_rng(seed).permutation(users)
    return np.add.reduceat(table[order], np.linspace(0, users, _BLOCKS, False).astype(int))


def compute_bounds(drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[resamples, m] -> [m] and [m]: the bounds of the middle 95 % of each column."""
    tail = (100 - _LEVEL) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail], axis=0)
    return low, high


def resample_means(values: np.ndarray, seed: int) -> np.ndarray:
    """[users, m] -> [RESAMPLES, m] means over users drawn with replacement.

    All columns share the draws, so a difference of two columns keeps their pairing.
    """
    return _resample_ratios(values, np.ones(len(values)), seed)


def _resample_ratios(values: np.ndarray, weight: np.ndarray, seed: int) -> np.ndarray:
    """Draws resamples in blocks, so that memory does not grow with users × resamples."""
    table = _round_to_exact_sums(_sum_blocks(np.column_stack([values, weight]), seed))
    rng = np.random.default_rng(seed)
    block = min(RESAMPLES, max(1, _DRAWS // len(table)))
    sums = np.concatenate(
        [
            _draw_counts(len(table), min(block, RESAMPLES - begin), rng) @ table
            for begin in range(0, RESAMPLES, block)
        ]
    )
    return sums[:, :-1] / sums[:, -1:]


def _round_to_exact_sums(table: np.ndarray) -> np.ndarray:
    """[n, m] -> [n, m], each column rounded to multiples of a power of two, about 2**-52 times n
    times the column's greatest value: float64 represents every sum of n such values exactly.

    BLAS adds in an order that depends on the processor and on the number of threads. Exact sums do
    not depend on the order, so the same values have the same intervals on every machine.
    """
    greatest = len(table) * np.abs(table).max(axis=0)
    exponent = np.frexp(greatest)[1] - 52  # greatest < 2**(exponent + 52), and rounding adds less
    return np.ldexp(np.rint(np.ldexp(table, -exponent)), exponent)


def _draw_counts(users: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """[resamples, users] how often each user was drawn; every row sums to `users`."""
    drawn = rng.integers(0, users, (resamples, users), np.int32)  # int64 would double the time
    drawn += users * np.arange(resamples, dtype=np.int32)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=resamples * users)
    return counts.reshape(resamples, users).astype(float)


@dataclasses.dataclass(frozen=True)
class Difference:
    """Ours minus theirs in one metric, and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float
    users: int
    verdict: Verdict


def compare_paired(
    ours: Mapping[str, np.ndarray],
    theirs: Mapping[str, np.ndarray],
    seed: int,
    weight: np.ndarray | None = None,
) -> dict[str, Difference]:
    """Paired differences, `ours` minus `theirs`, in metrics where more is better.

    Both hold the same metrics, [users] each, for the same users in the same order. Each verdict has
    its own error rate of 5 %: of twenty metrics of equally good lists one may well look better or
    worse.

    With a `weight` [users] > 0 of each user, values already hold it as a factor, the divisor is the
    sum of weights, and `users` is the effective number of users.
    """
    if weight is None:
        weight = np.ones(len(next(iter(ours.values()))))
    users = int(compute_effective_size(weight))
    intervals = compute_ratio_intervals(
        {name: values - theirs[name] for name, values in ours.items()}, weight, seed
    )
    return {
        name: Difference(each.value, each.low, each.high, users, decide_verdict(each, users))
        for name, each in intervals.items()
    }


def compute_effective_size(weight: np.ndarray) -> float:
    """Number of equally weighted users whose mean varies as much as that of users with `weight`
    [users] > 0: (sum of weights)² / sum of squared weights (Kish, Survey sampling, 1965).
    """
    return float(weight.sum() ** 2 / (weight**2).sum())


def decide_verdict(difference: Interval, users: int) -> Verdict:
    """`inside the noise` when the interval, bounds included, contains 0."""
    if users < MIN_USERS:
        return "too few users"
    if difference.low > 0:
        return "better"
    return "worse" if difference.high < 0 else "inside the noise"
