"""Metrics of the lists of both stages, of the baselines and of the pushed version.

A `ListEvaluator` holds everything that lists for the same evaluation queries share.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from schema.signatures import RANKING
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.popularity import PopularityClock
from trainer.data.training_data import TrainingData
from trainer.evaluation.baselines import build_interaction_matrix
from trainer.evaluation.slice_metrics import (
    MetricsRow,
    RelevantItems,
    collect_relevant_items,
    measure_item_slices,
    measure_user_slices,
    note_user_count,
)
from trainer.evaluation.slices import (
    Slice,
    slice_by_activity,
    slice_by_age,
    slice_by_history,
    slice_by_popularity,
    slice_context,
    slice_items,
    slice_users,
)
from trainer.metrics import confidence
from trainer.metrics.beyond_accuracy import (
    ItemStatistics,
    compute_beyond_accuracy,
    compute_beyond_accuracy_intervals,
)
from trainer.metrics.ranking import average_metrics, compute_user_metrics

_SEED = 1
_HEADLINE = ("recall@10", "ndcg@10", "recall@100")
_CUTOFFS = (10, 100)
PUSHED = "pushed"
COMPARISONS = "beside"


@dataclasses.dataclass(frozen=True)
class ListEvaluator:
    """What is needed to evaluate any lists for the same queries."""

    queries: EvaluationQueries
    items: ItemStatistics
    relevant: RelevantItems
    user_slices: dict[str, list[Slice]]
    """Dimension -> slices of the queries."""
    item_slices: dict[str, list[Slice]]
    """Dimension -> slices of the relevant items."""

    def evaluate(self, lists: np.ndarray) -> "EvaluatedLists":
        """Evaluates `lists` [users, >= 100], or as long as the catalogue."""
        return EvaluatedLists(self, lists, compute_user_metrics(lists, self.queries.relevant))


def build_list_evaluator(
    queries: EvaluationQueries, clock: PopularityClock, vectors: np.ndarray, data: TrainingData
) -> ListEvaluator:
    """The evaluator for `queries`.

    Args:
        queries: the evaluation queries.
        clock: popularity over the events that may be known at their moment.
        vectors: [n + 1, dim] item vectors, for diversity.
        data: declared features and the catalogue.
    """
    interactions = build_interaction_matrix(clock, queries.now)
    known = ItemStatistics(
        events=clock.counts(queries.now),
        user_counts=np.asarray(interactions.sum(axis=0)).ravel(),
        users=int(np.count_nonzero(np.diff(interactions.indptr))),
        vectors=vectors,
    )
    relevant = collect_relevant_items(queries)
    return ListEvaluator(
        queries,
        known,
        relevant,
        _slice_queries(queries, data),
        _slice_relevant_items(queries, relevant, known.events, data),
    )


def _slice_queries(queries: EvaluationQueries, data: TrainingData) -> dict[str, list[Slice]]:
    history = np.array([len(items) for items in queries.interacted])
    by_history = {
        "history": slice_by_history(history),
        "activity": slice_by_activity(history),
    }
    return by_history | slice_users(queries, data)


def _slice_relevant_items(
    queries: EvaluationQueries, relevant: RelevantItems, events: np.ndarray, data: TrainingData
) -> dict[str, list[Slice]]:
    """Slices of relevant items; a split by last item has no cut, and no slices by days since it."""
    slices = {"popularity": slice_by_popularity(relevant.item, events)}
    if data.has_clock:
        slices["days since the cut"] = slice_by_age(relevant.days)
    slices |= slice_items(relevant.item, data)
    return slices | slice_context(queries.timelines, relevant.event, data)


@dataclasses.dataclass(frozen=True)
class EvaluatedLists:
    """Lists with each user's metrics."""

    evaluator: ListEvaluator
    lists: np.ndarray
    columns: dict[str, np.ndarray]
    """Metric -> [users]."""

    def summary(self) -> MetricsRow:
        """Metric -> value; `intervals`: metric -> bounds, for metrics that are means over users or
        over recommended items.
        """
        metrics: MetricsRow = dict(average_metrics(self.columns))
        metrics |= compute_beyond_accuracy(self.lists, self.evaluator.items)
        intervals = confidence.compute_mean_intervals(self.columns, _SEED)
        intervals |= compute_beyond_accuracy_intervals(self.lists, self.evaluator.items, _SEED)
        bounds = {name: {"low": i.low, "high": i.high} for name, i in intervals.items()}
        return metrics | {"intervals": bounds}

    def slices(self) -> dict[str, dict[str, MetricsRow]]:
        """Dimension -> slice -> metrics."""
        ranks = self.evaluator.relevant.ranks(self.lists)
        by_user = {
            kind: measure_user_slices(self._headline, parts, _SEED)
            for kind, parts in self.evaluator.user_slices.items()
        }
        by_item = {
            kind: measure_item_slices(self.evaluator.relevant, ranks, parts, _CUTOFFS, _SEED)
            for kind, parts in self.evaluator.item_slices.items()
        }
        return by_user | by_item

    def compare_with(self, others: dict[str, "EvaluatedLists"]) -> dict[str, dict[str, MetricsRow]]:
        """Name of the other lists -> metric -> difference, interval and verdict."""
        return {
            name: {
                metric: dataclasses.asdict(difference)
                for metric, difference in confidence.compare_paired(
                    self._headline, other.columns, _SEED
                ).items()
            }
            for name, other in others.items()
        }

    @property
    def _headline(self) -> dict[str, np.ndarray]:
        return {name: self.columns[name] for name in _HEADLINE}


@dataclasses.dataclass(frozen=True)
class StageLists:
    """[users, >= 100] item indices each (or as long as the catalogue), for the same queries."""

    retrieval: np.ndarray
    reranked: np.ndarray
    """The same items, with the first ones in ranking's order."""
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
    order: str
    baselines: dict[str, EvaluatedLists]
    pushed: dict[str, EvaluatedLists]
    """Under the name `pushed`; empty if no version is pushed."""
    comparisons: dict[str, EvaluatedLists]
    """By name."""

    @property
    def served(self) -> EvaluatedLists:
        """The final lists: those in the serving order."""
        return self.reranked if self.order == RANKING else self.retrieval

    def as_json(self) -> dict[str, dict[str, Any]]:
        """`retrieval`, `ranking` and, if given, `pushed` and `beside`: see
        `trainer.evaluation.evaluate`.
        """
        users = len(self.retrieval.evaluator.queries)
        baselines = {name: lists.summary() for name, lists in self.baselines.items()}
        others = self.baselines | {"retrieval": self.retrieval} | self.pushed | self.comparisons
        retrieval = _report_lists(self.retrieval, self.baselines)
        summary = {
            "retrieval": retrieval
            | {"users": users, "baselines": baselines}
            | note_user_count(users),
            "ranking": _report_lists(self.served, others)
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
        order=lists.order,
        baselines={name: evaluator.evaluate(other) for name, other in lists.baselines.items()},
        pushed={} if lists.pushed is None else {PUSHED: evaluator.evaluate(lists.pushed)},
        comparisons={name: evaluator.evaluate(other) for name, other in lists.comparisons.items()},
    )


def _report_lists(lists: EvaluatedLists, others: dict[str, EvaluatedLists]) -> dict[str, Any]:
    return lists.summary() | {"slices": lists.slices(), "against": lists.compare_with(others)}
