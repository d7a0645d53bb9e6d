"""NDCG@10 of the served lists by group of users, beside the 7-day popularity of the same run."""

from collections.abc import Sequence
from typing import Any

from benchmarks.quality import spread

_METRIC, _BASELINE, _SLICE = "ndcg@10", "recent", "history"


def read_groups(summary: dict[str, Any]) -> dict[str, dict[str, float]]:
    """By group, users with history (warm) and without (new): NDCG@10 on test, and how much that is
    above the popularity baseline. Empty if the run has no such groups.
    """
    ranking = summary["ranking"]
    groups = ranking["slice_differences"].get(_SLICE, {})
    return {
        name: {
            _METRIC: ranking["slices"][_SLICE][name][_METRIC]["value"],
            "above_popularity": group["against"][_BASELINE][_METRIC]["value"],
        }
        for name, group in groups.items()
        if _BASELINE in group.get("against", {})
    }


def summarise(groups: Sequence[dict[str, dict[str, float]]]) -> dict[str, dict[str, Any]]:
    """Mean, minimum, maximum and standard deviation over the seeds, by group and metric; each seed
    has the same groups.
    """
    return {name: spread.summarise([seed[name] for seed in groups]) for name in groups[0]}
