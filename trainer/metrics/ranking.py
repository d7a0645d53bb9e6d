"""Accuracy metrics of ranked lists, per user. Relevance is binary. More is better for all of them.

Several metrics share their arguments: `hit` [users, n] bool marks the positions of a list, best
first, that hold a relevant item; a list shorter than k has no hit in its missing positions.
`relevant` [users] counts each user's relevant items, at least one.
"""

from collections.abc import Mapping

import numpy as np

from trainer.config.metric_names import CUTOFFS
from trainer.metrics.beyond_accuracy import compute_coverage


def find_hits(lists: np.ndarray, relevant: list[np.ndarray]) -> np.ndarray:
    """[users, k] item indices, best first, and each user's relevant items -> [users, k] bool."""
    width = int(max(lists.max(), *(items.max(initial=0) for items in relevant))) + 1
    user = np.arange(len(lists), dtype=np.int64)
    keys = np.repeat(user, [len(items) for items in relevant]) * width + np.concatenate(relevant)
    return np.isin(user[:, None] * width + lists, keys)


def compute_recall(hit: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """[users] share of a user's relevant items that are among the first k.

    A user with more than k relevant items cannot reach 1: the divisor is their number, not
    min(k, number) as in some definitions.
    """
    return hit[:, :k].sum(axis=1) / relevant


def compute_hit_rate(hit: np.ndarray, k: int) -> np.ndarray:
    """[users] 1.0 where any of the first k is relevant, else 0.0.

    Deshpande and Karypis, Item-based top-N recommendation algorithms, TOIS 2004.
    """
    return hit[:, :k].any(axis=1).astype(float)


def compute_reciprocal_rank(hit: np.ndarray, k: int) -> np.ndarray:
    """[users] 1 / rank of the first relevant item, 0.0 if none is among the first k; its mean is
    MRR.

    Voorhees, The TREC-8 question answering track report, TREC 1999.
    """
    head = hit[:, :k]
    return np.where(head.any(axis=1), 1.0 / (head.argmax(axis=1) + 1), 0.0)


def compute_ndcg(hit: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """[users] discounted cumulative gain divided by the ideal one; discount 1 / log2(rank + 1).

    Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, TOIS 2002, with
    binary gains; the ideal list begins with min(k, answers) hits, even where the lists are shorter
    than that.
    """
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(relevant, k)]
    gains = hit[:, :k] * discount[: hit[:, :k].shape[1]]
    return gains.sum(axis=1) / ideal  # not `@`: the order of BLAS sums depends on the processor


def compute_user_metrics(
    lists: np.ndarray, relevant: list[np.ndarray], cutoffs: tuple[int, ...] = CUTOFFS
) -> dict[str, np.ndarray]:
    """`recall@k`, `ndcg@k`, `hit_rate@k` and `mrr@k` of every cutoff, [users] each."""
    hit = find_hits(lists, relevant)
    count = np.array([len(items) for items in relevant])
    metrics = {}
    for k in cutoffs:
        metrics[f"recall@{k}"] = compute_recall(hit, count, k)
        metrics[f"ndcg@{k}"] = compute_ndcg(hit, count, k)
        metrics[f"hit_rate@{k}"] = compute_hit_rate(hit, k)
        metrics[f"mrr@{k}"] = compute_reciprocal_rank(hit, k)
    return metrics


def average_metrics(columns: Mapping[str, np.ndarray]) -> dict[str, float]:
    """[users] each -> their means by the same names."""
    return {name: float(values.mean()) for name, values in columns.items()}


def summarise_lists(
    lists: np.ndarray, relevant: list[np.ndarray], catalogue: int
) -> dict[str, float]:
    """The metrics for model selection, averaged over users. `lists` is [users, >= 100]."""
    means = average_metrics(compute_user_metrics(lists, relevant, (10, 100)))
    selected = {name: means[name] for name in ("recall@10", "ndcg@10", "recall@100")}
    return selected | {"coverage@10": compute_coverage(lists, 10, catalogue)}
