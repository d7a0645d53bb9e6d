"""Metrics by slice of users or of relevant items.

A slice without rows, or with too few users for a verdict, has a `note`; its counts are always
there.
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
    """Per slice `users` and, of each of the `columns` [users], value, low and high over its
    users.
    """
    found: dict[str, MetricsRow] = {}
    for part in parts:
        users = int(np.count_nonzero(part.chosen))
        row: MetricsRow = {"users": users} | note_user_count(users)
        if users:
            chosen = {name: values[part.chosen] for name, values in columns.items()}
            row |= convert_intervals(confidence.compute_mean_intervals(chosen, seed))
        found[part.name] = row
    return found


@dataclasses.dataclass(frozen=True)
class RelevantItems:
    """`a` answers of `users` users, in the users' order."""

    users: int
    user: np.ndarray
    """[a] place of the user among those asked."""
    item: np.ndarray
    """[a] index of the item."""
    event: np.ndarray
    """[a] position in the questions' timelines of the event by which the user first took it."""
    days: np.ndarray
    """[a] days from the moment of the question to when the user first took it."""

    def ranks(self, lists: np.ndarray) -> np.ndarray:
        """[users, k] -> [a] place of the answer in its user's list, from 1; 0 where it has none."""
        width = int(max(lists.max(), self.item.max())) + 1
        listed = np.arange(self.users)[:, None] * width + lists
        order = np.argsort(listed, axis=None)
        wanted = self.user.astype(np.int64) * width + self.item
        place = np.minimum(np.searchsorted(listed.ravel()[order], wanted), listed.size - 1)
        found = listed.ravel()[order[place]] == wanted
        return np.where(found, order[place] % lists.shape[1] + 1, 0)


def measure_item_slices(
    answers: RelevantItems,
    ranks: np.ndarray,
    parts: list[Slice],
    cutoffs: tuple[int, ...],
    seed: int,
) -> dict[str, MetricsRow]:
    """Per slice `users`, `answers` and `recall@k` of each cutoff: the share of the slice's answers
    whose rank is 1 to k.

    All answers count alike, whosever they are (a user's other answers have no part in it); the
    interval draws users. `ranks` [a] are `answers.ranks(lists)`.
    """
    found: dict[str, MetricsRow] = {}
    for part in parts:
        count = _count_by_user(answers, part.chosen)
        users = np.flatnonzero(count)
        row: MetricsRow = {"users": len(users), "answers": int(count.sum())} | note_user_count(
            len(users)
        )
        if len(users):
            columns = {
                f"recall@{k}": _count_by_user(answers, part.chosen & (ranks > 0) & (ranks <= k))[
                    users
                ]
                for k in cutoffs
            }
            row |= convert_intervals(
                confidence.compute_ratio_intervals(columns, count[users], seed)
            )
        found[part.name] = row
    return found


def note_user_count(users: int) -> MetricsRow:
    """What there is to say of a number of users: nothing where it is enough for a verdict."""
    if not users:
        return {"note": "no test user is in this slice"}
    if users < MIN_USERS:
        return {"note": f"too few users for a verdict: expected {MIN_USERS}, received {users}"}
    return {}


def convert_intervals(intervals: Mapping[str, confidence.Interval]) -> MetricsRow:
    """Each as {value, low, high}."""
    return {name: dataclasses.asdict(interval) for name, interval in intervals.items()}


def _count_by_user(answers: RelevantItems, chosen: np.ndarray) -> np.ndarray:
    return np.bincount(answers.user[chosen], minlength=answers.users)


def collect_relevant_items(asked: EvaluationQueries) -> RelevantItems:
    """The answers of `asked`, each with the first positive event of the split that made it one."""
    split = asked.timelines
    number = np.unique(split.user_ids, return_inverse=True)[1]  # the same for a user's windows
    width = int(split.item_index.max()) + 1
    chosen = np.flatnonzero(split.own & split.positive & (split.item_index > 0))
    chosen = chosen[np.argsort(split.timestamps[chosen], kind="stable")]
    pairs = number[split.rows[chosen]] * width + split.item_index[chosen]
    pairs, first = np.unique(pairs, return_index=True)
    user = np.repeat(np.arange(len(asked)), [len(items) for items in asked.answers])
    item = np.concatenate(asked.answers).astype(np.int64)
    wanted = np.searchsorted(pairs, number[asked.row[user]] * width + item)
    event = chosen[first[wanted]]
    days = (split.timestamps[event] - asked.now) / SECONDS_PER_DAY
    return RelevantItems(len(asked), user, item, event, days)
