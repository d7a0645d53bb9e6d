"""The ranking model's predictions on the test split as rows for TFMA: for retrieval's candidates of
each query, and for the events that have a label.
"""

import dataclasses
from collections.abc import Iterator
from typing import Literal

import numpy as np

from schema.signatures import RELEVANCE
from trainer.data.evaluation_queries import EvaluationQueries, build_queries
from trainer.data.training_data import TrainingData
from trainer.evaluation.slices import (
    Slice,
    slice_by_history,
    slice_events,
    slice_items,
    slice_users,
)
from trainer.evaluation.trained_stages import TrainedStages
from trainer.metrics.ranking import find_hits
from trainer.metrics.top_k import rank_nearest
from trainer.ranking.examples import build_labelled_examples
from trainer.ranking.label_errors import build_test_state, score_examples
from trainer.ranking.labels import compute_target, find_obstacle
from trainer.ranking.rerank import create_scorer, score_relevance
from trainer.retrieval.export import encode_queries

MAX_QUERIES = 2_000
MAX_EVENTS = 20_000
_SEED = 1
SlicesByColumn = dict[str, list[Slice]]
"""Dimension -> slices of the rows."""


@dataclasses.dataclass(frozen=True)
class QueryRows:
    """The query of each row, where rows are candidates of queries."""

    query: np.ndarray
    """[r] number of the query, from 0, ascending; every query has at least one row."""
    slices: SlicesByColumn
    """Slices of the queries, not of the rows."""


@dataclasses.dataclass(frozen=True)
class HeadRows:
    """`r` rows of one head, at least one."""

    kind: Literal["relevance", "binary", "regression"]
    label: np.ndarray
    """[r]: 0 or 1, or in the label's own unit for regression; no NaN."""
    prediction: np.ndarray
    """[r]: a probability, or in the label's own unit."""
    slices: SlicesByColumn
    """Slices of the rows; a slice without rows is not passed to TFMA."""
    queries: QueryRows | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.label)


def build_test_rows(data: TrainingData, stages: TrainedStages) -> dict[str, HeadRows | str]:
    """Head (`relevance` and each declared label) -> its rows, or the reason why there are none.

    Uses a sample of at most `MAX_QUERIES` queries, and the latest `MAX_EVENTS` events with a label.
    """
    queries = build_queries(data.test, data.moment(data.test), data.repeats)
    return {RELEVANCE: _build_relevance_rows(data, queries, stages)} | _build_all_label_rows(
        data, stages
    )


def describe_rows(rows: HeadRows | str) -> dict[str, str | int]:
    """`kind`, number of `rows` and of `questions` (queries), or a `note` if there are no rows."""
    if isinstance(rows, str):
        return {"note": rows}
    questions = {"questions": int(rows.queries.query[-1]) + 1} if rows.queries else {}
    return {"kind": rows.kind, "rows": len(rows)} | questions


def _build_relevance_rows(
    data: TrainingData, queries: EvaluationQueries, stages: TrainedStages
) -> HeadRows | str:
    """Rows of the queries for which retrieval returns a relevant item; for others every order has
    the same quality.
    """
    at_test, length = stages.item_vectors_at_test(), stages.retrieval_config.history_length
    vectors = encode_queries(stages.query.positions, queries, length)
    candidates = stages.ranking_config.candidates
    lists = rank_nearest(vectors, at_test, queries.interacted, candidates, queries.repeats)
    hit = find_hits(lists, queries.relevant)
    drawn = sample_positions(np.flatnonzero(hit.any(axis=1)), MAX_QUERIES)
    if not len(drawn):
        return "retrieval returns no relevant item for any query of test: nothing to rank"
    part = queries.select(drawn)
    score = create_scorer(stages.ranking)
    scores = score_relevance(lists[drawn], vectors[drawn], part, at_test[:, -1], score, length)
    return build_list_rows(data, part, lists[drawn], hit[drawn], scores)


def sample_positions(positions: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the ascending positions, drawn without replacement with a fixed seed."""
    if len(positions) <= most:
        return positions
    return np.sort(np.random.default_rng(_SEED).choice(positions, most, replace=False))


def build_list_rows(
    data: TrainingData,
    queries: EvaluationQueries,
    lists: np.ndarray,
    hit: np.ndarray,
    scores: np.ndarray,
) -> HeadRows:
    """The rows of candidate lists.

    Args:
        data: declared features and the catalogue.
        queries: `q` evaluation queries.
        lists: [q, c] item indices; 0 is an empty position.
        hit: [q, c] bool: the item is relevant.
        scores: [q, c] relevance logits.
    """
    inside = lists > 0
    query, _ = np.nonzero(inside)
    history = np.array([len(items) for items in queries.interacted])
    of_users = {"history": slice_by_history(history)} | slice_users(queries, data)
    of_rows = {
        feature: [Slice(part.name, part.chosen[query]) for part in slices_of_feature]
        for feature, slices_of_feature in of_users.items()
    }
    return HeadRows(
        kind="relevance",
        label=hit[inside].astype(np.float32),
        prediction=compare_to_average(scores, inside)[inside].astype(np.float32),
        slices=of_rows | slice_items(lists[inside], data),
        queries=QueryRows(query, of_users),
    )


def compare_to_average(scores: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """[q, c] logits -> [q, c] probability of the candidate against one of the list's average
    likelihood; 0 where `inside` ([q, c] bool) is False.

    The head learns a softmax over a list, so logits are not comparable across lists, and softmax
    probabilities grow as lists get shorter. p / (p + mean p) = sigmoid(logit - log mean exp logit)
    has neither problem, and preserves each list's order.
    """
    logits = np.where(inside, scores.astype(np.float64), -np.inf)
    top = logits.max(axis=1, keepdims=True)
    likelihood = np.exp(logits - top)
    mean = likelihood.sum(axis=1, keepdims=True) / inside.sum(axis=1, keepdims=True)
    return likelihood / (likelihood + mean)


def _build_all_label_rows(data: TrainingData, stages: TrainedStages) -> dict[str, HeadRows | str]:
    if not data.dataset.labels.ranking:
        return {}
    vectors = stages.item_vectors_at_test()
    state = build_test_state(data, stages.query, vectors, stages.retrieval_config)
    examples = build_labelled_examples(data.test, state, MAX_EVENTS)
    predicted = score_examples(stages.ranking.score, examples)
    slices = _slice_test_events(data, examples.event)
    return {
        name: _build_label_rows(data, name, examples.labels[name], predicted, slices)
        for name in data.dataset.labels.ranking
    }


def _build_label_rows(
    data: TrainingData,
    name: str,
    values: np.ndarray,
    predicted: dict[str, np.ndarray],
    slices: SlicesByColumn,
) -> HeadRows | str:
    obstacle = find_obstacle(data, name)
    known = ~np.isnan(values)
    if obstacle is not None:
        return obstacle
    if not known.any():
        return f"none of the latest {len(known)} events of test with a label has a value of {name}"
    label = data.dataset.labels.ranking[name]
    return HeadRows(
        kind=label.kind,
        label=compute_target(values[known], label).astype(np.float32),
        prediction=predicted[name][known].astype(np.float32),
        slices={
            feature: [Slice(part.name, part.chosen[known]) for part in slices_of_feature]
            for feature, slices_of_feature in slices.items()
        },
    )


def _slice_test_events(data: TrainingData, events: np.ndarray) -> SlicesByColumn:
    """Slices of events [m] by their user, their item and their context."""
    split = data.test
    row = split.rows[events]
    before = events - split.row_splits[row]
    return (
        {"history": slice_by_history(before)}
        | slice_events(split, events, data)
        | slice_items(split.item_index[events], data)
    )


SliceKey = tuple[tuple[str, str], ...]
"""TFMA's slice key: () is all rows, (("user_region", "north"),) one value of a column."""


def iterate_slices(slices: SlicesByColumn, rows: int) -> Iterator[tuple[SliceKey, np.ndarray]]:
    """Each slice that has rows, the slice of all rows first, with its [rows] bool mask."""
    yield (), np.ones(rows, bool)
    for feature, slices_of_feature in slices.items():
        for part in slices_of_feature:
            if part.chosen.any():
                yield ((feature, part.name),), part.chosen
