"""Metrics of the lists of both stages, of the baselines and of the pushed version."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.evaluation.quality import EvaluatedLists, ListEvaluator
from trainer.evaluation.slice_metrics import note_user_count

PUSHED = "pushed"
COMPARISONS = "beside"


@dataclasses.dataclass(frozen=True)
class StageLists:
    """[users, >= 100] item indices each (or as long as the catalogue), for the same queries."""

    retrieval: np.ndarray
    reranked: np.ndarray
    """The same items, with the first ones in ranking's order."""
    served: np.ndarray
    """The final lists."""
    order: str
    """Whose order is served."""
    baselines: dict[str, np.ndarray]
    """By name."""
    pushed: np.ndarray | None
    """Lists of the currently pushed version, if there is one."""
    comparisons: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    """Further lists to compare the final lists with, by name."""


@dataclasses.dataclass(frozen=True)
class EvaluatedStages:
    """The evaluated lists of both stages and of everything that they are compared with."""

    retrieval: EvaluatedLists
    reranked: EvaluatedLists
    served: EvaluatedLists
    """The final lists."""
    order: str
    baselines: dict[str, EvaluatedLists]
    pushed: dict[str, EvaluatedLists]
    """Under the name `pushed`; empty if no version is pushed."""
    comparisons: dict[str, EvaluatedLists]
    """By name."""

    def as_json(self) -> dict[str, dict[str, Any]]:
        """`retrieval`, `ranking` and, if given, `pushed` and `beside`: see
        `trainer.evaluation.evaluate`.
        """
        users = len(self.retrieval.evaluator.queries)
        baselines = {name: lists.summary() for name, lists in self.baselines.items()}
        ruled = self.baselines | {"retrieval": self.retrieval}
        retrieval = _report_lists(self.retrieval, self.baselines, {})
        weights = self.retrieval.evaluator.weights
        if weights is not None:
            retrieval |= {"propensities": weights.describe()}
        summary = {
            "retrieval": retrieval
            | {"users": users, "baselines": baselines}
            | note_user_count(users),
            "ranking": _report_lists(self.served, ruled, self.pushed | self.comparisons)
            | {"order": self.order, "reranked": self.reranked.summary()},
        }
        summary |= {name: lists.summary() for name, lists in self.pushed.items()}
        comparisons = {name: lists.summary() for name, lists in self.comparisons.items()}
        return summary | ({COMPARISONS: comparisons} if comparisons else {})


def evaluate_stages(evaluator: ListEvaluator, lists: StageLists) -> EvaluatedStages:
    """Evaluates all lists with the same evaluator."""
    return EvaluatedStages(
        retrieval=evaluator.evaluate(lists.retrieval),
        reranked=evaluator.evaluate(lists.reranked),
        served=evaluator.evaluate(lists.served),
        order=lists.order,
        baselines={name: evaluator.evaluate(other) for name, other in lists.baselines.items()},
        pushed={} if lists.pushed is None else {PUSHED: evaluator.evaluate(lists.pushed)},
        comparisons={name: evaluator.evaluate(other) for name, other in lists.comparisons.items()},
    )


def _report_lists(
    lists: EvaluatedLists, ruled: dict[str, EvaluatedLists], others: dict[str, EvaluatedLists]
) -> dict[str, Any]:
    """Only the `ruled` lists, with which a rule can compare, are compared in slices too."""
    return lists.summary() | {
        "slices": lists.slices(),
        "against": lists.compare_with(ruled | others),
        "slice_differences": lists.compare_in_slices(ruled),
    }
