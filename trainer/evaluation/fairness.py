"""Fairness of the served lists between the declared groups, and its limits.

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
    """`users` and `items`: `<table>.<feature>` -> the result of `measure_user_fairness` or
    `measure_exposure`, with the `metric`, the `limit` (None without one) and whether a gap is
    `required`. {} if no group is declared.

    If the gap cannot be computed, `note` has the reason instead of `gap`.
    """
    if not declared:
        return {}
    gaps: dict[str, dict[str, MetricsRow]] = {"users": {}, "items": {}}
    for group in declared:
        of_users = group.table == "users"
        row = (
            _measure_users(group, served, data) if of_users else _measure_items(group, served, data)
        )
        gaps[group.table][group.groups] = row | {
            "metric": group.metric_name,
            "limit": group.max_gap,
            "required": group.required,
        }
    return gaps


def check_limits(measured: dict[str, dict[str, MetricsRow]]) -> list[MetricsRow]:
    """A row for each group with a limit: `of`, `metric`, `limit`, `received` and `passed`.
    `measured` is the result of `measure_fairness`.

    A gap that could not be measured has a `note` instead of `received`, and passes unless it is
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
    gap = read_gap(row)
    if gap is None:
        note = f"not measured: {row['note']}"
        return head | {"passed": not row["required"], "note": note}
    return head | {"received": gap, "passed": gap <= row["limit"]}


def read_gap(row: MetricsRow) -> float | None:
    """The gap of a group in the result of `measure_fairness`; None if it was not measured."""
    if "gap" not in row:
        return None
    return row["gap"] if "widest" in row else row["gap"]["value"]


def _measure_users(group: FairnessConfig, served: EvaluatedLists, data: TrainingData) -> MetricsRow:
    parts = slice_users(served.evaluator.queries, data, _MAX_GROUPS)[
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
    return measure_exposure(served.lists, served.evaluator.queries.relevant, parts, cutoff, _SEED)


def _has_known_value(parts: list[Slice]) -> bool:
    """Whether any row has a known value; the last slice holds the rows without one."""
    return any(part.chosen.any() for part in parts[:-1])


def measure_exposure(
    lists: np.ndarray, relevant: list[np.ndarray], groups: list[Slice], k: int, seed: int
) -> MetricsRow:
    """Exposure and relevance of groups of items.

    Every user has the same weight: the exposure of a user's list sums to 1, and so does the
    relevance of the user's relevant items; intervals resample users. A user with an empty list
    gives no exposure.

    Args:
        lists: [users, >= k] item indices, best first.
        relevant: [users] relevant items of each user.
        groups: groups of items, which may overlap; `chosen` is [n + 1] over item indices.
        k: cutoff of the exposure.
        seed: seed of the resampling.

    Returns:
        `groups`: each group's share of `exposure` in the first k positions, its share of
        `relevance` and their `difference`, with intervals; a group with neither has a `note`.
        `gap`: the greatest absolute difference, and `widest` the group that has it. With too few
        users or fewer than two groups that occur, `note` has the reason instead of `gap`.
    """
    rows = _measure_groups(lists, relevant, groups, k, seed)
    occurring = [name for name, row in rows.items() if "note" not in row]
    if len(lists) < MIN_USERS:
        return {"groups": rows} | note_user_count(len(lists))
    if len(occurring) < 2:
        count = len(occurring)
        note = f"no gap: expected two groups of items in lists and answers, received {count}"
        return {"groups": rows, "note": note}
    widest = max(occurring, key=lambda name: _compute_gap(rows[name]))
    return {"groups": rows, "widest": widest, "gap": _compute_gap(rows[widest])}


def compute_exposure_shares(lists: np.ndarray, member: np.ndarray, k: int) -> np.ndarray:
    """[users] share of the exposure of a list's first k positions that items of `member` ([n + 1]
    bool) get.
    """
    head = lists[:, :k]
    weight = np.where(head > 0, 1 / np.log2(np.arange(2, head.shape[1] + 2)), 0.0)
    total = weight.sum(axis=1)
    gained = (weight * member[head]).sum(axis=1)
    return np.divide(gained, total, out=np.zeros(len(lists)), where=total > 0)


def _compute_gap(group: MetricsRow) -> float:
    return abs(group["difference"]["value"])


def _measure_groups(
    lists: np.ndarray, relevant: list[np.ndarray], groups: list[Slice], k: int, seed: int
) -> dict[str, MetricsRow]:
    """All groups' rows; users are resampled once for all groups."""
    columns: dict[str, np.ndarray] = {}
    for number, group in enumerate(groups):
        exposed = compute_exposure_shares(lists, group.chosen, k)
        relevance = _compute_relevance_shares(relevant, group.chosen)
        for name, values in zip(_SHARES, (exposed, relevance, exposed - relevance), strict=True):
            columns[f"{number} {name}"] = values
    intervals = (
        convert_intervals(confidence.compute_mean_intervals(columns, seed)) if columns else {}
    )
    return {
        group.name: _note_empty_group({name: intervals[f"{number} {name}"] for name in _SHARES})
        for number, group in enumerate(groups)
    }


def _compute_relevance_shares(relevant: list[np.ndarray], member: np.ndarray) -> np.ndarray:
    """[users] share of a user's relevant items, at least one, that are in `member` [n + 1] bool."""
    count = np.array([len(items) for items in relevant])
    hit = member[np.concatenate(relevant)].astype(float)
    return np.add.reduceat(hit, np.cumsum(count) - count) / count


def _note_empty_group(measured: MetricsRow) -> MetricsRow:
    if measured["exposure"]["value"] or measured["relevance"]["value"]:
        return measured
    return measured | {"note": "no list and no answer holds an item of this group"}


def measure_user_fairness(values: np.ndarray, groups: list[Slice], seed: int) -> MetricsRow:
    """`groups`: the metric `values` [users] of each group, named `metric`, as from
    `measure_user_slices`; `gap`: difference between the best and the worst group's mean.

    Groups with too few users are excluded from the gap; if fewer than two remain, `note` has the
    reason instead of `gap`. The interval is of the difference of the two means, with each group's
    users resampled independently. Since the two groups are selected as the extremes, many equal
    groups have a gap too: compare it with a limit, not with 0.
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
    """Difference of the means of two disjoint groups of users, [users] each."""
    drawn = [
        confidence.resample_means(values[:, None], seed + draws)
        for draws, values in enumerate((best, worst))
    ]
    low, high = confidence.compute_bounds(drawn[0] - drawn[1])
    return confidence.Interval(float(best.mean() - worst.mean()), float(low[0]), float(high[0]))
