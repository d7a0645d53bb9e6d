"""Metrics of lists.

A `ListEvaluator` holds everything that lists for the same evaluation queries share.
"""

import dataclasses

import numpy as np

from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.popularity import PopularityClock
from trainer.data.propensities import ExposurePropensities
from trainer.data.training_data import TrainingData
from trainer.evaluation.baselines.interactions import build_interaction_matrix
from trainer.evaluation.propensity_weights import PropensityWeights
from trainer.evaluation.slice_differences import compare_in_slices
from trainer.evaluation.slice_metrics import (
    MetricsRow,
    RelevantItems,
    collect_relevant_items,
    measure_item_slices,
    measure_user_slices,
)
from trainer.evaluation.slices import (
    ACTIVITY,
    HISTORY,
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
    weights: PropensityWeights | None = None
    """None for a log without impressions."""

    def evaluate(self, lists: np.ndarray) -> "EvaluatedLists":
        """Evaluates `lists` [users, >= 100], or as long as the catalogue."""
        columns = compute_user_metrics(lists, self.queries.relevant)
        weighted = {} if self.weights is None else self.weights.measure(lists)
        return EvaluatedLists(self, lists, columns, weighted)


def build_list_evaluator(
    queries: EvaluationQueries,
    clock: PopularityClock,
    vectors: np.ndarray,
    data: TrainingData,
    propensities: ExposurePropensities | None = None,
) -> ListEvaluator:
    """The evaluator for `queries`.

    Args:
        queries: the evaluation queries.
        clock: popularity over the events that may be known at their moment.
        vectors: [n + 1, dim] item vectors, for diversity.
        data: declared features and the catalogue.
        propensities: counted from impressions that may be known at that moment, if there are any.
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
        None if propensities is None else PropensityWeights(relevant, propensities),
    )


def _slice_queries(queries: EvaluationQueries, data: TrainingData) -> dict[str, list[Slice]]:
    history = np.array([len(items) for items in queries.interacted])
    by_history = {
        HISTORY: slice_by_history(history),
        ACTIVITY: slice_by_activity(history),
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
    weighted: dict[str, np.ndarray]
    """Metric -> [users], see `PropensityWeights`; empty for a log without impressions."""

    def summary(self) -> MetricsRow:
        """Metric -> value; `intervals`: metric -> bounds, for metrics that are means over users,
        weighted or not, or over recommended items.
        """
        metrics: MetricsRow = dict(average_metrics(self.columns))
        metrics |= compute_beyond_accuracy(self.lists, self.evaluator.items)
        intervals = confidence.compute_mean_intervals(self.columns, _SEED)
        intervals |= compute_beyond_accuracy_intervals(self.lists, self.evaluator.items, _SEED)
        if self.evaluator.weights is not None:
            weighted = self.evaluator.weights.compute_intervals(self.weighted, _SEED)
            metrics |= {name: interval.value for name, interval in weighted.items()}
            intervals |= weighted
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
                for metric, difference in self._compare(other).items()
            }
            for name, other in others.items()
        }

    def compare_in_slices(
        self, others: dict[str, "EvaluatedLists"]
    ) -> dict[str, dict[str, MetricsRow]]:
        """Dimension -> slice of users -> differences from the other lists, by name."""
        columns = {name: other.columns for name, other in others.items()}
        return compare_in_slices(self._headline, columns, self.evaluator.user_slices)

    def _compare(self, other: "EvaluatedLists") -> dict[str, confidence.Difference]:
        differences = confidence.compare_paired(self._headline, other.columns, _SEED)
        if self.evaluator.weights is None:
            return differences
        return differences | self.evaluator.weights.compare(self.weighted, other.weighted, _SEED)

    @property
    def _headline(self) -> dict[str, np.ndarray]:
        return {name: self.columns[name] for name in _HEADLINE}
