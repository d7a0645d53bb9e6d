"""Retrieval's lists in the order of ranking, for evaluation queries."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from schema import signatures
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.windows import Batch
from trainer.metrics.top_k import iterate_blocks
from trainer.ranking.inputs import build_query_inputs

ScoreFunction = Callable[[Batch], dict[str, np.ndarray]]
"""The ranking model's inputs by name, as in `schema.signatures` -> head: [b, c]."""


@dataclasses.dataclass(frozen=True)
class Ranker:
    """The ranking model, and how many items of how long a history it reads."""

    score: ScoreFunction
    candidates: int
    """Items at the head of a list that it puts in order."""
    history_length: int
    """Latest events of a user."""


def rerank(
    lists: np.ndarray,
    queries: np.ndarray,
    asked: EvaluationQueries,
    log_popularity: np.ndarray,
    ranker: Ranker,
) -> np.ndarray:
    """[q, k] retrieval's indices, best first -> the same with the first `candidates` of the
    `ranker` put in its order.

    `log_popularity` [n + 1] at the moment of the queries. Places that hold no item (0) stay at the
    end.
    """
    result = lists.copy()
    head = lists[:, : ranker.candidates].astype(np.int32)
    found = score_relevance(
        head, queries, asked, log_popularity, ranker.score, ranker.history_length
    )
    order = np.argsort(np.where(head == 0, np.inf, -found), axis=1, kind="stable")
    result[:, : head.shape[1]] = np.take_along_axis(head, order, axis=1)
    return result


def score_relevance(
    lists: np.ndarray,
    queries: np.ndarray,
    asked: EvaluationQueries,
    log_popularity: np.ndarray,
    score: ScoreFunction,
    history_length: int,
) -> np.ndarray:
    """[q, c] retrieval's indices -> [q, c] ranking's logit of each being taken; that of an empty
    place (0) means nothing.
    """
    head = lists.astype(np.int32)
    inputs = build_query_inputs(asked, queries, history_length) | {
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
    """numpy in, numpy out, around the `score` of a ranking module, trained or loaded."""
    return wrap_function(module.score)


def wrap_function(
    function: Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]],
) -> ScoreFunction:
    """numpy in, numpy out."""

    def score(inputs: Batch) -> dict[str, np.ndarray]:
        outputs = function({name: tf.constant(values) for name, values in inputs.items()})
        return {name: values.numpy() for name, values in outputs.items()}

    return score
