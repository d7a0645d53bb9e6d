"""The lists of both stages beside those that people would be shown instead."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from schema.signatures import RANKING
from trainer.evaluation import slice_metrics as slices
from trainer.evaluation.quality import Judge, MeasuredLists

PUSHED = "pushed"
BESIDE = "beside"


@dataclasses.dataclass(frozen=True)
class StageLists:
    """[users, >= 100] item indices each (or as deep as the catalogue), for the same questions."""

    retrieval: np.ndarray
    reranked: np.ndarray
    """The same items, the first of them in ranking's order."""
    order: str
    """Whose order is served."""
    baselines: dict[str, np.ndarray]
    """By name."""
    pushed: np.ndarray | None
    """Those of the version that is pushed now, where there is one."""
    beside: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    """Further ones to compare the final lists with, by name."""


@dataclasses.dataclass(frozen=True)
class MeasuredStages:
    """What each user finds in each of the lists."""

    retrieval: MeasuredLists
    reranked: MeasuredLists
    order: str
    baselines: dict[str, MeasuredLists]
    pushed: dict[str, MeasuredLists]
    """Under its name, or nothing."""
    beside: dict[str, MeasuredLists]
    """By name."""

    @property
    def served(self) -> MeasuredLists:
        """The final lists."""
        return self.reranked if self.order == RANKING else self.retrieval

    def as_json(self) -> dict[str, dict[str, Any]]:
        """`retrieval`, `ranking` and, where there are any, `pushed` and `beside`: see
        trainer.evaluation.evaluate.
        """
        users = len(self.retrieval.judge.asked)
        baselines = {name: lists.summary() for name, lists in self.baselines.items()}
        others = self.baselines | {"retrieval": self.retrieval} | self.pushed | self.beside
        retrieval = _in_full(self.retrieval, self.baselines)
        found = {
            "retrieval": retrieval | {"users": users, "baselines": baselines} | slices.note(users),
            "ranking": _in_full(self.served, others)
            | {"order": self.order, "reranked": self.reranked.summary()},
        }
        found |= {name: lists.summary() for name, lists in self.pushed.items()}
        beside = {name: lists.summary() for name, lists in self.beside.items()}
        return found | ({BESIDE: beside} if beside else {})


def measure(judge: Judge, lists: StageLists) -> MeasuredStages:
    """All of them by the same judge."""
    return MeasuredStages(
        retrieval=judge.measured(lists.retrieval),
        reranked=judge.measured(lists.reranked),
        order=lists.order,
        baselines={name: judge.measured(other) for name, other in lists.baselines.items()},
        pushed={} if lists.pushed is None else {PUSHED: judge.measured(lists.pushed)},
        beside={name: judge.measured(other) for name, other in lists.beside.items()},
    )


def _in_full(lists: MeasuredLists, others: dict[str, MeasuredLists]) -> dict[str, Any]:
    return lists.summary() | {"slices": lists.slices(), "against": lists.against(others)}
