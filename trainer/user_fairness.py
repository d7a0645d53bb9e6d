"""Are the lists as good for one group of users as for another?"""

import dataclasses

import numpy as np

from trainer.evaluation import slice_metrics as slices
from trainer.evaluation.slice_metrics import Row, Slice
from trainer.metrics import confidence
from trainer.paired_difference import FEWEST_USERS


def measure(values: np.ndarray, groups: list[Slice], seed: int) -> Row:
    """`groups`: the metric `values` [users] of each group as `slices.of_users` gives it, by the
    name `metric`; `gap`: how far the best group's mean is above the worst one's.

    Groups of too few users have no part in the gap; where fewer than two are left, `note` says so
    in its place. The interval is of the difference of these two means, each group's users drawn for
    itself. They are picked for being furthest apart, so with many groups of equal worth a gap is
    still found: it is to be held against a limit, not against 0.
    """
    enough = {g.name: values[g.chosen] for g in groups if g.chosen.sum() >= FEWEST_USERS}
    row: Row = {"groups": slices.of_users({"metric": values}, groups, seed)}
    if len(enough) < 2:
        return row | {
            "note": f"no gap: expected two groups of {FEWEST_USERS} users or more, "
            f"received {len(enough)}"
        }
    best = max(enough, key=lambda name: enough[name].mean())
    worst = min(enough, key=lambda name: enough[name].mean())
    gap = _difference(enough[best], enough[worst], seed)
    return row | {"best": best, "worst": worst, "gap": dataclasses.asdict(gap)}


def _difference(best: np.ndarray, worst: np.ndarray, seed: int) -> confidence.Interval:
    """Of the means of two groups of different users, [users] each."""
    drawn = [
        confidence.resampled_means(values[:, None], seed + draws)
        for draws, values in enumerate((best, worst))
    ]
    low, high = confidence.bounds(drawn[0] - drawn[1])
    return confidence.Interval(float(best.mean() - worst.mean()), float(low[0]), float(high[0]))
