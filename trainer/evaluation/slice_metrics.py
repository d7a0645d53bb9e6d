"""Metrics by slice of users or of relevant items.

A slice without rows, or with too few users for a verdict, has a `note`; counts are always present.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.popularity import SECONDS_PER_DAY
from trainer.evaluation.slices import Slice
from trainer.metrics import confidence
from trainer.metrics.confidence import MIN_USERS

MetricsRow = dict[str, Any]


def measure_user_slices(
    columns: Mapping[str, np.ndarray], parts: list[Slice], seed: int
) -> dict[str, MetricsRow]:
    """Slice -> `users` and, for each of the `columns` ([users] each), value, low and high."""
    rows: dict[str, MetricsRow] = {}
    for part in parts:
        users = int(np.count_nonzero(part.chosen))
        row: MetricsRow = {"users": users} | note_user_count(users)
        if users:
            chosen = {name: values[part.chosen] for name, values in columns.items()}
            row |= convert_intervals(confidence.compute_mean_intervals(chosen, seed))
        rows[part.name] = row
    return rows


@dataclasses.dataclass(frozen=True)
class RelevantItems:
    """`a` relevant items of `users` users, in the users' order."""

    users: int
    user: np.ndarray
    """[a] index of the user's query."""
    item: np.ndarray
    """[a] index of the item."""
    event: np.ndarray
    """[a] position of the user's first positive event with the item in the queries' timelines."""
    days: np.ndarray
    """[a] days from the moment of the query to that event."""

    def ranks(self, lists: np.ndarray) -> np.ndarray:
        """[users, k] -> [a] rank of the item in its user's list, from 1; 0 if it is not listed."""
        width = int(max(lists.max(), self.item.max())) + 1
        listed = np.arange(self.users)[:, None] * width + lists
        order = np.argsort(listed, axis=None)
        keys = self.user.astype(np.int64) * width + self.item
        index = np.minimum(np.searchsorted(listed.ravel()[order], keys), listed.size - 1)
        hit = listed.ravel()[order[index]] == keys
        return np.where(hit, order[index] % lists.shape[1] + 1, 0)


def measure_item_slices(
    relevant: RelevantItems,
    ranks: np.ndarray,
    parts: list[Slice],
    cutoffs: tuple[int, ...],
    seed: int,
) -> dict[str, MetricsRow]:
    """Slice -> `users`, `answers` (relevant items) and `recall@k` of each cutoff: the share of the
    slice's relevant items whose rank is 1 to k.

    All relevant items of a slice have the same weight, whichever user they belong to; intervals
    resample users.

    Args:
        relevant: `a` relevant items.
        ranks: [a] as from `relevant.ranks(lists)`.
        parts: slices of the relevant items.
        cutoffs: values of k.
        seed: seed of the resampling.
    """
    rows: dict[str, MetricsRow] = {}
    for part in parts:
        count = _count_by_user(relevant, part.chosen)
        users = np.flatnonzero(count)
        row: MetricsRow = {"users": len(users), "answers": int(count.sum())} | note_user_count(
            len(users)
        )
        if len(users):
            columns = {
                f"recall@{k}": _count_by_user(relevant, part.chosen & (ranks > 0) & (ranks <= k))[
                    users
                ]
                for k in cutoffs
            }
            row |= convert_intervals(
                confidence.compute_ratio_intervals(columns, count[users], seed)
            )
        rows[part.name] = row
    return rows


def note_user_count(users: int) -> MetricsRow:
    """A `note` if there are too few users for a verdict, else {}."""
    if not users:
        return {"note": "no test user is in this slice"}
    if users < MIN_USERS:
        return {"note": f"too few users for a verdict: expected {MIN_USERS}, received {users}"}
    return {}


def convert_intervals(intervals: Mapping[str, confidence.Interval]) -> MetricsRow:
    """Name -> {value, low, high}."""
    return {name: dataclasses.asdict(interval) for name, interval in intervals.items()}


def _count_by_user(relevant: RelevantItems, chosen: np.ndarray) -> np.ndarray:
    return np.bincount(relevant.user[chosen], minlength=relevant.users)


def collect_relevant_items(queries: EvaluationQueries) -> RelevantItems:
    """The relevant items of `queries`, each with its user's first positive event in the split."""
    split = queries.timelines
    number = np.unique(split.user_ids, return_inverse=True)[1]  # the same for a user's windows
    width = int(split.item_index.max()) + 1
    chosen = np.flatnonzero(split.own & split.positive & (split.item_index > 0))
    chosen = chosen[np.argsort(split.timestamps[chosen], kind="stable")]
    pairs = number[split.rows[chosen]] * width + split.item_index[chosen]
    pairs, first = np.unique(pairs, return_index=True)
    user = np.repeat(np.arange(len(queries)), [len(items) for items in queries.relevant])
    item = np.concatenate(queries.relevant).astype(np.int64)
    index = np.searchsorted(pairs, number[queries.row[user]] * width + item)
    event = chosen[first[index]]
    days = (split.timestamps[event] - queries.now) / SECONDS_PER_DAY
    return RelevantItems(len(queries), user, item, event, days)
