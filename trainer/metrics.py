"""Metrics of ranked lists. Relevance is binary: an item is among a user's answers or it is not."""

import numpy as np


def hits(lists: np.ndarray, answers: list[np.ndarray]) -> np.ndarray:
    """[users, k] item indices, best first, and each user's answers -> [users, k] bool."""
    return np.stack([np.isin(row, wanted) for row, wanted in zip(lists, answers, strict=True)])


def recall(hit: np.ndarray, answers: np.ndarray, k: int) -> np.ndarray:
    """[users] share of a user's answers among the first k. `answers` [users] counts them, all >
    0.
    """
    return hit[:, :k].sum(axis=1) / answers


def ndcg(hit: np.ndarray, answers: np.ndarray, k: int) -> np.ndarray:
    """[users] discounted cumulative gain over the best possible one, discount 1 / log2(rank + 1).

    Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, TOIS 2002, with
    binary gains; the ideal list has min(k, answers) hits at its head.
    """
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(answers, k)]
    return hit[:, :k] @ discount[: hit[:, :k].shape[1]] / ideal


def coverage(lists: np.ndarray, k: int, catalogue: int) -> float:
    """Share of the catalogue's items that stand in anybody's first k; index 0 is no item."""
    return np.count_nonzero(np.unique(lists[:, :k])) / catalogue


def summary(lists: np.ndarray, answers: list[np.ndarray], catalogue: int) -> dict[str, float]:
    """The metrics that summary.json holds, averaged over users. `lists` is [users, >= 100]."""
    hit = hits(lists, answers)
    count = np.array([len(wanted) for wanted in answers])
    return {
        "recall@10": float(recall(hit, count, 10).mean()),
        "ndcg@10": float(ndcg(hit, count, 10).mean()),
        "recall@100": float(recall(hit, count, 100).mean()),
        "coverage@10": coverage(lists, 10, catalogue),
    }
