"""Reranks retrieval's lists for evaluation queries."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from schema import signatures
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.windows import Batch
from trainer.metrics.top_k import iterate_blocks
from trainer.ranking.inputs import build_query_inputs

ScoreFunction = Callable[[Batch], dict[str, np.ndarray]]
"""The ranking model's inputs by name, as in `schema.signatures` -> head: [b, c] scores."""


@dataclasses.dataclass(frozen=True)
class Ranker:
    """The ranking model, and the number of candidates and history items that it reads."""

    score: ScoreFunction
    candidates: int
    """Number of items at the head of a list that it reranks."""
    history_length: int
    """Number of latest history items that it reads."""


class ScoredLists(NamedTuple):
    """Lists for `q` evaluation queries, and the scores by which they are ordered."""

    items: np.ndarray
    """[q, k] item indices, best first; empty positions (0) are at the end."""
    scores: np.ndarray
    """[q, c] scores of the first c items; those of empty positions are undefined."""


def rerank(
    lists: np.ndarray,
    query_vectors: np.ndarray,
    queries: EvaluationQueries,
    log_popularity: np.ndarray,
    ranker: Ranker,
) -> ScoredLists:
    """The lists [q, k] with their first `ranker.candidates` items in ranking's order.

    Args:
        lists: [q, k] retrieval's item indices, best first; empty positions (0) stay at the end.
        query_vectors: [q, dim + 1] query vectors.
        queries: the evaluation queries.
        log_popularity: [n + 1] at the moment of the queries.
        ranker: the ranking model.
    """
    result = lists.copy()
    head = lists[:, : ranker.candidates].astype(np.int32)
    scores = score_relevance(
        head, query_vectors, queries, log_popularity, ranker.score, ranker.history_length
    )
    order = np.argsort(np.where(head == 0, np.inf, -scores), axis=1, kind="stable")
    result[:, : head.shape[1]] = np.take_along_axis(head, order, axis=1)
    return ScoredLists(result, np.take_along_axis(scores, order, axis=1))


def score_relevance(
    lists: np.ndarray,
    query_vectors: np.ndarray,
    queries: EvaluationQueries,
    log_popularity: np.ndarray,
    score: ScoreFunction,
    history_length: int,
) -> np.ndarray:
    """[q, c] the relevance logits of the candidates; that of an empty position (0) is undefined.

    Args:
        lists: [q, c] candidates as item indices.
        query_vectors: [q, dim + 1] query vectors.
        queries: the evaluation queries.
        log_popularity: [n + 1] at the moment of the queries.
        score: the ranking model.
        history_length: number of latest history items that it reads.
    """
    head = lists.astype(np.int32)
    inputs = build_query_inputs(queries, query_vectors, history_length) | {
        signatures.CANDIDATES: head,
        signatures.LOG_POPULARITY: log_popularity.astype(np.float32)[head],
    }
    return np.concatenate(
        [
            score({name: values[part] for name, values in inputs.items()})[signatures.RELEVANCE]
            for part in iterate_blocks(len(lists))
        ]
    )


def create_scorer(module: Any) -> ScoreFunction:
    """Wraps `score` of a ranking module, trained or loaded, to accept and return numpy arrays."""
    return wrap_function(module.score)


def wrap_function(
    function: Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]],
) -> ScoreFunction:
    """Wraps a function of tensors to accept and return numpy arrays."""

    def score(inputs: Batch) -> dict[str, np.ndarray]:
        outputs = function({name: tf.constant(values) for name, values in inputs.items()})
        return {name: values.numpy() for name, values in outputs.items()}

    return score
