"""Fairness of the served lists between the declared groups, and whether it keeps the limits.

Users: the difference in list quality between groups of users. Items: the difference between a
group's share of exposure and its share of relevance (Singh and Joachims, Fairness of exposure in
rankings, KDD 2018). Exposure by rank falls as in DCG, with 1 / log2(rank + 1).
"""

import dataclasses
from typing import Any

import numpy as np

from schema import timeline
from trainer.config.fairness import FairnessConfig
from trainer.data.training_data import TrainingData
from trainer.evaluation.quality import EvaluatedLists
from trainer.evaluation.slice_metrics import (
    MetricsRow,
    convert_intervals,
    measure_user_slices,
    note_user_count,
)
from trainer.evaluation.slices import Slice, slice_items, slice_users
from trainer.metrics import confidence
from trainer.metrics.confidence import MIN_USERS

_SEED = 1
_MAX_GROUPS = 20
_SHARES = ("exposure", "relevance", "difference")


def measure_fairness(
    declared: list[FairnessConfig], served: EvaluatedLists, data: TrainingData
) -> dict[str, dict[str, MetricsRow]]:
    """`users` and `items`: by `<table>.<feature>` the result of `measure_user_fairness` or
    `measure_exposure`, with the `metric`, the `limit` (None where there is none) and whether a gap
    is `required`. {} where nothing is declared.

    Where there is no gap, `note` says why in its place.
    """
    if not declared:
        return {}
    found: dict[str, dict[str, MetricsRow]] = {"users": {}, "items": {}}
    for group in declared:
        of_users = group.table == "users"
        row = (
            _measure_users(group, served, data) if of_users else _measure_items(group, served, data)
        )
        found[group.table][group.groups] = row | {
            "metric": group.metric_name,
            "limit": group.max_gap,
            "required": group.required,
        }
    return found


def check_limits(measured: dict[str, dict[str, MetricsRow]]) -> list[MetricsRow]:
    """A row for each group with a limit: `of`, `metric`, `limit`, `received` and `passed`.
    `measured` is what `measure_fairness` returns.

    A gap that could not be measured has a `note` instead of `received`, and has passed unless it is
    required.
    """
    return [
        _check_gap(of, row)
        for table in measured.values()
        for of, row in table.items()
        if row["limit"] is not None
    ]


def _check_gap(of: str, row: MetricsRow) -> MetricsRow:
    head: dict[str, Any] = {"of": of, "metric": row["metric"], "limit": row["limit"]}
    if "gap" not in row:
        note = f"not measured: {row['note']}"
        return head | {"passed": not row["required"], "note": note}
    gap = row["gap"] if "widest" in row else row["gap"]["value"]
    return head | {"received": gap, "passed": gap <= row["limit"]}


def _measure_users(group: FairnessConfig, served: EvaluatedLists, data: TrainingData) -> MetricsRow:
    parts = slice_users(served.judge.asked, data, _MAX_GROUPS)[
        timeline.name_user_feature(group.feature)
    ]
    if not _has_known_value(parts):
        return {"groups": {}, "note": f"no gap: no test user has a known value of {group.groups}"}
    return measure_user_fairness(served.columns[group.metric_name], parts, _SEED)


def _measure_items(group: FairnessConfig, served: EvaluatedLists, data: TrainingData) -> MetricsRow:
    indices = np.arange(data.catalogue.size + 1)
    parts = slice_items(indices, data, _MAX_GROUPS)[timeline.name_item_feature(group.feature)]
    if not _has_known_value(parts):
        return {"groups": {}, "note": f"no gap: no item has a known value of {group.groups}"}
    cutoff = int(group.metric_name.partition("@")[2])
    return measure_exposure(served.lists, served.judge.asked.answers, parts, cutoff, _SEED)


def _has_known_value(parts: list[Slice]) -> bool:
    """Whether any row has a known value; the last slice is of those without."""
    return any(part.chosen.any() for part in parts[:-1])


def measure_exposure(
    lists: np.ndarray, answers: list[np.ndarray], groups: list[Slice], k: int, seed: int
) -> MetricsRow:
    """`groups`: of each group of items its share of `exposure` in the first k places, its share of
    `relevance` and their `difference`, with intervals; `gap`: the greatest difference either way.

    A group's `chosen` is [n + 1] over item indices. Every user counts as one: his list's exposure
    adds up to 1, his answers' relevance too, and the interval draws users. Groups may overlap.
    A group with neither exposure nor relevance says so in `note`; a user with an empty list gives
    no exposure to anybody. Of too few users, or with fewer than two groups that occur, there is no
    gap, and `note` says so in its place.
    """
    found = _measure_groups(lists, answers, groups, k, seed)
    present = [name for name, row in found.items() if "note" not in row]
    if len(lists) < MIN_USERS:
        return {"groups": found} | note_user_count(len(lists))
    if len(present) < 2:
        note = f"no gap: expected two groups of items in lists and answers, received {len(present)}"
        return {"groups": found, "note": note}
    widest = max(present, key=lambda name: _compute_gap(found[name]))
    return {"groups": found, "widest": widest, "gap": _compute_gap(found[widest])}


def compute_exposure_shares(lists: np.ndarray, member: np.ndarray, k: int) -> np.ndarray:
    """[users] share of a list's exposure that goes to items of `member` [n + 1] bool."""
    head = lists[:, :k]
    weight = np.where(head > 0, 1 / np.log2(np.arange(2, head.shape[1] + 2)), 0.0)
    total = weight.sum(axis=1)
    gained = (weight * member[head]).sum(axis=1)
    return np.divide(gained, total, out=np.zeros(len(lists)), where=total > 0)


def _compute_gap(group: MetricsRow) -> float:
    return abs(group["difference"]["value"])


def _measure_groups(
    lists: np.ndarray, answers: list[np.ndarray], groups: list[Slice], k: int, seed: int
) -> dict[str, MetricsRow]:
    """All groups' rows; users are drawn once for all of them."""
    columns: dict[str, np.ndarray] = {}
    for place, group in enumerate(groups):
        exposed = compute_exposure_shares(lists, group.chosen, k)
        relevant = _compute_relevance_shares(answers, group.chosen)
        for name, values in zip(_SHARES, (exposed, relevant, exposed - relevant), strict=True):
            columns[f"{place} {name}"] = values
    intervals = (
        convert_intervals(confidence.compute_mean_intervals(columns, seed)) if columns else {}
    )
    return {
        group.name: _note_empty_group({name: intervals[f"{place} {name}"] for name in _SHARES})
        for place, group in enumerate(groups)
    }


def _compute_relevance_shares(answers: list[np.ndarray], member: np.ndarray) -> np.ndarray:
    """[users] share of a user's answers, one at least, that are items of `member` [n + 1] bool."""
    count = np.array([len(items) for items in answers])
    hit = member[np.concatenate(answers)].astype(float)
    return np.add.reduceat(hit, np.cumsum(count) - count) / count


def _note_empty_group(measured: MetricsRow) -> MetricsRow:
    if measured["exposure"]["value"] or measured["relevance"]["value"]:
        return measured
    return measured | {"note": "no list and no answer holds an item of this group"}


def measure_user_fairness(values: np.ndarray, groups: list[Slice], seed: int) -> MetricsRow:
    """`groups`: the metric `values` [users] of each group as `measure_user_slices` gives it, under
    the name `metric`; `gap`: how far the best group's mean is above the worst one's.

    Groups of too few users have no part in the gap; where fewer than two are left, `note` says so
    in its place. The interval is of the difference of these two means, each group's users drawn for
    itself. They are picked for being furthest apart, so with many groups of equal worth a gap is
    still found: it is to be held against a limit, not against 0.
    """
    enough = {g.name: values[g.chosen] for g in groups if g.chosen.sum() >= MIN_USERS}
    row: MetricsRow = {"groups": measure_user_slices({"metric": values}, groups, seed)}
    if len(enough) < 2:
        return row | {
            "note": f"no gap: expected two groups of {MIN_USERS} users or more, "
            f"received {len(enough)}"
        }
    best = max(enough, key=lambda name: enough[name].mean())
    worst = min(enough, key=lambda name: enough[name].mean())
    gap = _compute_difference(enough[best], enough[worst], seed)
    return row | {"best": best, "worst": worst, "gap": dataclasses.asdict(gap)}


def _compute_difference(best: np.ndarray, worst: np.ndarray, seed: int) -> confidence.Interval:
    """Of the means of two groups of different users, [users] each."""
    drawn = [
        confidence.resample_means(values[:, None], seed + draws)
        for draws, values in enumerate((best, worst))
    ]
    low, high = confidence.compute_bounds(drawn[0] - drawn[1])
    return confidence.Interval(float(best.mean() - worst.mean()), float(low[0]), float(high[0]))
