"""The declared groups, measured on the lists as they are served, and held against their limits."""

from typing import Any

import numpy as np

from schema import timeline
from trainer import declared_slices, exposure, user_fairness
from trainer.config.fairness import FairnessConfig
from trainer.data.training_data import TrainingData
from trainer.evaluation.quality import MeasuredLists
from trainer.evaluation.slice_metrics import Row, Slice

_SEED = 1
_MOST_GROUPS = 20


def measure(
    declared: list[FairnessConfig], served: MeasuredLists, data: TrainingData
) -> dict[str, dict[str, Row]]:
    """`users` and `items`: by `<table>.<feature>` what user_fairness and exposure say, with the
    `metric`, the `limit` (None where there is none) and whether a gap is `required`. {} where
    nothing is declared.

    Where there is no gap, `note` says why in its place.
    """
    if not declared:
        return {}
    found: dict[str, dict[str, Row]] = {"users": {}, "items": {}}
    for group in declared:
        of_users = group.table == "users"
        row = _of_users(group, served, data) if of_users else _of_items(group, served, data)
        found[group.table][group.of] = row | {
            "metric": group.measured_by,
            "limit": group.max_gap,
            "required": group.required,
        }
    return found


def limits(measured: dict[str, dict[str, Row]]) -> list[Row]:
    """A row for each group with a limit: `of`, `metric`, `limit`, `received` and `passed`.
    `measured` is what `measure` returns.

    A gap that could not be measured has a `note` instead of `received`, and has passed unless it is
    required.
    """
    return [
        _held(of, row)
        for table in measured.values()
        for of, row in table.items()
        if row["limit"] is not None
    ]


def _held(of: str, row: Row) -> Row:
    head: dict[str, Any] = {"of": of, "metric": row["metric"], "limit": row["limit"]}
    if "gap" not in row:
        note = f"not measured: {row['note']}"
        return head | {"passed": not row["required"], "note": note}
    gap = row["gap"] if "widest" in row else row["gap"]["value"]
    return head | {"received": gap, "passed": gap <= row["limit"]}


def _of_users(group: FairnessConfig, served: MeasuredLists, data: TrainingData) -> Row:
    parts = declared_slices.of_users(served.judge.asked, data, _MOST_GROUPS)[
        timeline.name_user_feature(group.feature)
    ]
    if not _known(parts):
        return {"groups": {}, "note": f"no gap: no test user has a known value of {group.of}"}
    return user_fairness.measure(served.columns[group.measured_by], parts, _SEED)


def _of_items(group: FairnessConfig, served: MeasuredLists, data: TrainingData) -> Row:
    indices = np.arange(data.catalogue.size + 1)
    parts = declared_slices.of_items(indices, data, _MOST_GROUPS)[
        timeline.name_item_feature(group.feature)
    ]
    if not _known(parts):
        return {"groups": {}, "note": f"no gap: no item has a known value of {group.of}"}
    cutoff = int(group.measured_by.partition("@")[2])
    return exposure.measure(served.lists, served.judge.asked.answers, parts, cutoff, _SEED)


def _known(parts: list[Slice]) -> bool:
    """Whether any row has a known value; the last slice is of those without."""
    return any(part.chosen.any() for part in parts[:-1])
