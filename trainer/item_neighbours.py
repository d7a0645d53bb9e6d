"""The item-item neighbour baseline: what was taken by the same users as what this user took.

Sarwar et al., Item-based collaborative filtering recommendation algorithms, WWW 2001, and Deshpande
and Karypis, Item-based top-N recommendation algorithms, TOIS 2004. Nothing is learned, which is why
a learned model has to be better.
"""

import numpy as np
from scipy import sparse

from trainer import interaction_matrix
from trainer.metrics import top_k as ranked_lists

NEIGHBOURS = 200
SHRINKAGE = 100.0
LATEST_ITEMS = 500
"""Of a user's items that similarities are counted over. Every two of them are a pair, so without a
bound one user of 100,000 items costs as much as 40,000 users of 500."""
_ROWS = 512


def similarities(
    taken: sparse.csr_matrix, neighbours: int = NEIGHBOURS, shrinkage: float = SHRINKAGE
) -> sparse.csr_matrix:
    """[users, n] of 0 and 1 -> [n, n]: row j has the `neighbours` items most similar to item j.

    Similarity is users who took both / (sqrt(users of i × users of j) + shrinkage): the cosine of
    the two columns, made smaller where few users speak for it (Bell and Koren, Scalable
    collaborative filtering with jointly derived neighborhood interpolation weights, ICDM 2007, in
    the form of Ferrari Dacrema et al., Are we really making much progress?, RecSys 2019). An item
    is no neighbour of its own; of equally similar ones the lower index stays.
    """
    takers = np.asarray(taken.sum(axis=0)).ravel()
    of_item = sparse.csr_matrix(taken.T)
    blocks = []
    for part in ranked_lists.slices(len(takers), _ROWS):
        both = sparse.csr_matrix(of_item[part] @ taken)
        both.sort_indices()
        blocks.append(_most_similar(both, part.start, takers, neighbours, shrinkage))
    return sparse.csr_matrix(sparse.vstack(blocks))


def _most_similar(
    both: sparse.csr_matrix, first: int, takers: np.ndarray, neighbours: int, shrinkage: float
) -> sparse.csr_matrix:
    """Rows of co-occurrence counts, `first` the item of the first -> rows of similarities."""
    item = first + np.repeat(np.arange(both.shape[0]), np.diff(both.indptr))
    similar = both.data / (np.sqrt(takers[item] * takers[both.indices]) + shrinkage)
    similar[both.indices == item] = 0
    kept = []
    for begin, end in zip(both.indptr[:-1], both.indptr[1:], strict=True):
        best = np.argsort(-similar[begin:end], kind="stable")[:neighbours]
        kept.append(begin + best[similar[begin + best] > 0])
    splits = np.concatenate([[0], np.cumsum([len(row) for row in kept])])
    chosen = np.concatenate(kept)
    return sparse.csr_matrix((similar[chosen], both.indices[chosen], splits), shape=both.shape)


def lists(
    seen: list[np.ndarray], similar: sparse.csr_matrix, counts: np.ndarray, k: int
) -> np.ndarray:
    """[q] items of each history -> [q, min(k, n)] indices of unseen items, best first.

    The score of an item is the sum of its similarities to the history's. Items of equal score, all
    items for a user without history, stand in order of `counts` [n].
    """
    tie = _below_all_similarities(counts, similar)
    history = interaction_matrix.histories(seen, len(counts))
    found = []
    for part in ranked_lists.slices(len(seen)):
        scores = np.asarray((history[part] @ similar).todense(), np.float64) + tie
        found.append(ranked_lists.top(scores, seen[part], k))
    return np.concatenate(found)


def _below_all_similarities(counts: np.ndarray, similar: sparse.csr_matrix) -> np.ndarray:
    """[n] in the order of `counts`, each far smaller than any similarity that there is."""
    least = similar.data.min() if similar.nnz else 1.0
    return counts * (1e-3 * least / max(1, counts.max()))
