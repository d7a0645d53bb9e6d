"""Summaries of runs for tests of single parts."""

import copy
from typing import Any

from schema.run_summary import RunSummary

_SMALLEST: dict[str, Any] = {
    "name": "shop",
    "seed": 1,
    "versions": {},
    "stages": [],
    "rows": {
        "read": 0, "accepted": 0, "rejected": 0, "duplicates": 0, "users": 0, "items": 0,
        "train": 0, "valid": 0, "test": 0,
    },
    "rejected_by_reason": {},
    "retrieval": {"users": 0, "baselines": {}},
    "ranking": {"order": "ranking"},
    "index": {
        "kind": "exact", "items": 0, "ann_recall@100": 1.0, "p50_ms": 1.0, "exact_p50_ms": 1.0,
    },
    "verdict": {"blessed": True, "rules": []},
    "servables": {},
    "artifacts": {},
    "config": {},
}  # fmt: skip


def fill_summary(**parts: Any) -> dict[str, Any]:
    """summary.json with these parts, and minimal ones for the others."""
    return copy.deepcopy(_SMALLEST) | parts


def make_summary(**parts: Any) -> RunSummary:
    """The summary of `fill_summary`."""
    return RunSummary.model_validate(fill_summary(**parts))
