"""The baseline `item_neighbours`: items that the same users consumed as those of the history.

Sarwar et al., Item-based collaborative filtering recommendation algorithms, WWW 2001, and Deshpande
and Karypis, Item-based top-N recommendation algorithms, TOIS 2004. It counts co-occurrences in a
sparse user-item matrix and learns nothing.
"""

import numpy as np
from scipy import sparse

from schema.recommend import Repeats
from trainer.data.strongest import select_strongest
from trainer.evaluation.baselines.interactions import build_history_matrix
from trainer.metrics.top_k import iterate_blocks, scale_below, select_top_k

NEIGHBOURS = 200
SHRINKAGE = 100.0
LATEST_ITEMS = 500
"""Latest items per user that similarities are computed from. The cost is quadratic in it: without a
bound one user with 100,000 items would cost as much as 40,000 users with 500."""
_BLOCK_ITEMS = 512


def compute_similarities(
    interactions: sparse.csr_matrix, neighbours: int = NEIGHBOURS, shrinkage: float = SHRINKAGE
) -> sparse.csr_matrix:
    """[users, n] of 0 and 1 -> [n, n]: row j has the `neighbours` items most similar to item j.

    Similarity is users of both / (sqrt(users of i × users of j) + shrinkage): the cosine of the two
    columns, shrunk where few users support it (Bell and Koren, Scalable
    collaborative filtering with jointly derived neighborhood interpolation weights, ICDM 2007, in
    the form of Ferrari Dacrema et al., Are we really making much progress?, RecSys 2019). An item
    is not its own neighbour; the lower index wins ties.
    """
    user_counts = np.asarray(interactions.sum(axis=0)).ravel()
    of_item = sparse.csr_matrix(interactions.T)
    blocks = []
    for part in iterate_blocks(len(user_counts), _BLOCK_ITEMS):
        both = sparse.csr_matrix(of_item[part] @ interactions)
        blocks.append(_select_most_similar(both, part.start, user_counts, neighbours, shrinkage))
    return sparse.csr_matrix(sparse.vstack(blocks))


def _select_most_similar(
    both: sparse.csr_matrix, first: int, user_counts: np.ndarray, neighbours: int, shrinkage: float
) -> sparse.csr_matrix:
    """Rows of co-occurrence counts, beginning with item `first` -> rows of similarities."""
    item = first + np.repeat(np.arange(both.shape[0]), np.diff(both.indptr))
    similar = both.data / (np.sqrt(user_counts[item] * user_counts[both.indices]) + shrinkage)
    similar[both.indices == item] = 0
    rows = sparse.csr_matrix((similar, both.indices, both.indptr), shape=both.shape)
    return select_strongest(rows, neighbours)


def rank_by_neighbours(
    interacted: list[np.ndarray],
    similar: sparse.csr_matrix,
    counts: np.ndarray,
    k: int,
    repeats: Repeats = "exclude",
) -> np.ndarray:
    """[q, min(k, n)] indices of the items that `repeats` allows, best first.

    The score of an item is the sum of its similarities to the items of the history. Items of equal
    score (all items for a user without history) are ordered by `counts`.

    Args:
        interacted: [q] items of each history.
        similar: [n, n] similarities, as from `compute_similarities`.
        counts: [n] events of each item.
        k: length of the lists.
        repeats: whether lists hold items of the history.
    """
    tie = scale_below(counts, similar)
    history = build_history_matrix(interacted, len(counts))
    lists = []
    for part in iterate_blocks(len(interacted)):
        scores = np.asarray((history[part] @ similar).todense(), np.float64) + tie
        lists.append(select_top_k(scores, interacted[part], k, repeats))
    return np.concatenate(lists)
