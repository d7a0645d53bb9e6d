"""What diversity costs in accuracy: the final lists of sampled users at several values of it."""

import dataclasses
from typing import Any

import numpy as np

from trainer.config.fairness import FairnessConfig
from trainer.data.training_data import TrainingData
from trainer.evaluation.fairness import measure_fairness, read_gap
from trainer.evaluation.final_lists import FinalOrder, ServedCandidates
from trainer.evaluation.quality import ListEvaluator
from trainer.evaluation.slice_metrics import collect_relevant_items
from trainer.metrics.beyond_accuracy import compute_beyond_accuracy

LEVELS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8)
_MOST_USERS = 2_000
_SEED = 1
_CUTOFF = 10


def measure_diversity_curve(
    evaluator: ListEvaluator,
    candidates: ServedCandidates,
    final: FinalOrder,
    fairness: list[FairnessConfig],
    data: TrainingData,
) -> dict[str, Any]:
    """`users`, the number of sampled users, and `points`: for each of `LEVELS` and the default, by
    increasing `diversity`, the mean `ndcg@10`, `diversity@10`, which is missing if no list has two
    items, `coverage@10` and `gaps`: the fairness gap of each declared group that has one.

    With fewer users than the test split has, coverage is lower than that of all final lists.

    Args:
        evaluator: what all lists of the test split share.
        candidates: [users] candidates in the served order.
        final: how the final lists are ordered.
        fairness: the declared groups.
        data: features of the groups.
    """
    chosen = _sample_users(len(evaluator.queries))
    queries = evaluator.queries.select(chosen)
    sampled = dataclasses.replace(
        evaluator,
        queries=queries,
        relevant=collect_relevant_items(queries),
        user_slices={},
        item_slices={},
        weights=None,
    )
    own = candidates.select(chosen)
    points = [
        {"diversity": level} | _measure_point(sampled, own, final, level, (fairness, data))
        for level in sorted({*LEVELS, final.diversity})
    ]
    return {"users": len(chosen), "points": points}


def _sample_users(users: int) -> np.ndarray:
    """Positions of at most `_MOST_USERS` users, ascending."""
    shuffled = np.random.default_rng(_SEED).permutation(users)
    return np.sort(shuffled[:_MOST_USERS])


def _measure_point(
    evaluator: ListEvaluator,
    candidates: ServedCandidates,
    final: FinalOrder,
    level: float,
    groups: tuple[list[FairnessConfig], TrainingData],
) -> dict[str, Any]:
    fairness, data = groups
    length = max([_CUTOFF, *(int(group.metric_name.partition("@")[2]) for group in fairness)])
    items = final.apply(candidates, level, length)
    lists = evaluator.evaluate(items)
    beyond = compute_beyond_accuracy(items, evaluator.items)
    measured = measure_fairness(fairness, lists, data)
    gaps = {name: read_gap(row) for table in measured.values() for name, row in table.items()}
    names = [name for name in (f"diversity@{_CUTOFF}", f"coverage@{_CUTOFF}") if name in beyond]
    return {
        f"ndcg@{_CUTOFF}": float(lists.columns[f"ndcg@{_CUTOFF}"].mean()),
        **{name: float(beyond[name]) for name in names},
        "gaps": {name: gap for name, gap in gaps.items() if gap is not None},
    }
