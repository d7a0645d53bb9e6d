"""Retrieval's lists, and the same lists after ranking, for the questions of evaluation."""

from collections.abc import Callable

import numpy as np

from schema.signatures import RELEVANCE
from trainer import ranked_lists
from trainer.questions import Questions

Score = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], dict[str, np.ndarray]]
"""query [b, dim + 1], user_index [b], candidates [b, c], log_popularity [b, c] -> head: [b, c]."""


def reranked(
    lists: np.ndarray,
    queries: np.ndarray,
    asked: Questions,
    log_popularity: np.ndarray,
    score: Score,
    candidates: int,
) -> np.ndarray:
    """[q, k] retrieval's indices, best first -> the same with the first `candidates` put in
    ranking's order.

    `log_popularity` [n + 1] at the moment of the questions. Places that hold no item (0) stay at
    the end.
    """
    result = lists.copy()
    head = lists[:, :candidates]
    users = asked.timelines.user_index[asked.row]
    for part in ranked_lists.slices(len(lists)):
        index = head[part].astype(np.int32)
        relevance = score(queries[part], users[part], index, log_popularity[index])[RELEVANCE]
        relevance = np.where(index == 0, -np.inf, relevance)
        order = np.argsort(-relevance, axis=1, kind="stable")
        result[part, : head.shape[1]] = np.take_along_axis(index, order, axis=1)
    return result
