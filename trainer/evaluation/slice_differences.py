"""Differences between lists in slices of users: new users, warm users, and the values of each
declared category and set of users.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from trainer.evaluation.slice_metrics import MetricsRow, note_user_count
from trainer.evaluation.slices import ACTIVITY, Slice
from trainer.metrics.paired_test import measure_paired

Columns = Mapping[str, np.ndarray]
"""Metric -> [users]."""


def compare_in_slices(
    ours: Columns, others: Mapping[str, Columns], slices: Mapping[str, list[Slice]]
) -> dict[str, dict[str, MetricsRow]]:
    """Dimension -> slice -> `users` and `against`: other lists' name -> metric -> difference, a
    `PairedMean` as a dict.

    A slice with too few users for a verdict, or with all users, has a `note` instead of `against`.
    Slices by activity are left out: they divide the warm users once more, and the more slices are
    compared, the larger a difference must be.

    Args:
        ours: metrics of our lists.
        others: metrics of the other lists by name, for the same users in the same order.
        slices: slices of the users by dimension.
    """
    return {
        dimension: {part.name: _compare_in_slice(ours, others, part.chosen) for part in parts}
        for dimension, parts in slices.items()
        if dimension != ACTIVITY
    }


def _compare_in_slice(
    ours: Columns, others: Mapping[str, Columns], chosen: np.ndarray
) -> MetricsRow:
    users = int(np.count_nonzero(chosen))
    row: MetricsRow = {"users": users} | note_user_count(users)
    if "note" in row:
        return row
    if users == len(chosen):
        return row | {"note": "all test users are in this slice"}
    against = {
        name: {
            metric: dataclasses.asdict(measure_paired(values[chosen], other[metric][chosen]))
            for metric, values in ours.items()
        }
        for name, other in others.items()
    }
    return row | {"against": against}
