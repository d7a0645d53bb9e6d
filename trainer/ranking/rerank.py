"""Retrieval's lists, and the same lists after ranking, for the questions of evaluation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from schema import signatures
from trainer import ranking_queries
from trainer.data.evaluation_queries import Questions
from trainer.data.windows import Batch
from trainer.metrics import top_k as ranked_lists

Score = Callable[[Batch], dict[str, np.ndarray]]
"""The ranking model's inputs by name, as in `schema.signatures` -> head: [b, c]."""


def reranked(
    lists: np.ndarray,
    queries: np.ndarray,
    asked: Questions,
    log_popularity: np.ndarray,
    score: Score,
    candidates: int,
    history_length: int,
) -> np.ndarray:
    """[q, k] retrieval's indices, best first -> the same with the first `candidates` put in
    ranking's order.

    `log_popularity` [n + 1] at the moment of the questions. Places that hold no item (0) stay at
    the end.
    """
    result = lists.copy()
    head = lists[:, :candidates].astype(np.int32)
    found = relevance(head, queries, asked, log_popularity, score, history_length)
    order = np.argsort(np.where(head == 0, np.inf, -found), axis=1, kind="stable")
    result[:, : head.shape[1]] = np.take_along_axis(head, order, axis=1)
    return result


def relevance(
    lists: np.ndarray,
    queries: np.ndarray,
    asked: Questions,
    log_popularity: np.ndarray,
    score: Score,
    history_length: int,
) -> np.ndarray:
    """[q, c] retrieval's indices -> [q, c] ranking's logit of each being taken; that of an empty
    place (0) means nothing.
    """
    head = lists.astype(np.int32)
    inputs = ranking_queries.of_questions(asked, queries, history_length) | {
        signatures.CANDIDATES: head,
        signatures.LOG_POPULARITY: log_popularity.astype(np.float32)[head],
    }
    return np.concatenate(
        [
            score({name: values[part] for name, values in inputs.items()})[signatures.RELEVANCE]
            for part in ranked_lists.slices(len(lists))
        ]
    )


def scorer(module: Any) -> Score:
    """numpy in, numpy out, around the `score` of a ranking module, trained or loaded."""
    return of_function(module.score)


def of_function(function: Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]) -> Score:
    """numpy in, numpy out."""

    def score(inputs: Batch) -> dict[str, np.ndarray]:
        outputs = function({name: tf.constant(values) for name, values in inputs.items()})
        return {name: values.numpy() for name, values in outputs.items()}

    return score
