"""The baselines that a model must beat: popularity of all time, recent popularity, and item
neighbours.

Item neighbours: Sarwar et al., Item-based collaborative filtering recommendation algorithms, WWW
2001, and Deshpande and Karypis, Item-based top-N recommendation algorithms, TOIS 2004. They count
co-occurrences in a sparse user-item matrix and learn nothing.
"""

import numpy as np
from scipy import sparse

from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.popularity import PopularityClock
from trainer.metrics.top_k import iterate_blocks, rank_popular, select_top_k

NEIGHBOURS = 200
SHRINKAGE = 100.0
LATEST_ITEMS = 500
"""Of a user's items that similarities are counted over. Every two of them are a pair, so without a
bound one user of 100,000 items costs as much as 40,000 users of 500."""
_BLOCK_ITEMS = 512


def rank_baselines(
    clock: PopularityClock, asked: EvaluationQueries, recent_days: float, k: int
) -> dict[str, np.ndarray]:
    """Name -> [q, min(k, n)] indices of unseen items, best first.

    `popular` counts events of all time, `recent` those of the last `recent_days`, `item_neighbours`
    goes by what the same users took, of each the latest items. None of them looks past the moment
    of the questions.
    """
    counts = clock.counts(asked.now)
    taken = build_interaction_matrix(clock, asked.now, LATEST_ITEMS)
    similar = compute_similarities(taken)
    return {
        "popular": rank_popular(counts, asked.seen, k),
        "recent": rank_popular(clock.counts(asked.now, recent_days), asked.seen, k),
        "item_neighbours": rank_by_neighbours(asked.seen, similar, counts, k),
    }


def compute_similarities(
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
    for part in iterate_blocks(len(takers), _BLOCK_ITEMS):
        both = sparse.csr_matrix(of_item[part] @ taken)
        both.sort_indices()
        blocks.append(_select_most_similar(both, part.start, takers, neighbours, shrinkage))
    return sparse.csr_matrix(sparse.vstack(blocks))


def _select_most_similar(
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


def rank_by_neighbours(
    seen: list[np.ndarray], similar: sparse.csr_matrix, counts: np.ndarray, k: int
) -> np.ndarray:
    """[q] items of each history -> [q, min(k, n)] indices of unseen items, best first.

    The score of an item is the sum of its similarities to the history's. Items of equal score, all
    items for a user without history, stand in order of `counts` [n].
    """
    tie = _scale_below_similarities(counts, similar)
    history = build_history_matrix(seen, len(counts))
    found = []
    for part in iterate_blocks(len(seen)):
        scores = np.asarray((history[part] @ similar).todense(), np.float64) + tie
        found.append(select_top_k(scores, seen[part], k))
    return np.concatenate(found)


def _scale_below_similarities(counts: np.ndarray, similar: sparse.csr_matrix) -> np.ndarray:
    """[n] in the order of `counts`, each far smaller than any similarity that there is."""
    least = similar.data.min() if similar.nnz else 1.0
    return counts * (1e-3 * least / max(1, counts.max()))


def build_interaction_matrix(
    clock: PopularityClock, now: int, most: int | None = None
) -> sparse.csr_matrix:
    """[users, size] float32, 1 where a user took an item before `now`, however often; with `most`,
    of each user only the items that he took last, so many at the most.

    Users are the clock's; one without events before `now` has an empty row.
    """
    known = clock.timestamps < now
    user, item = clock.user[known], clock.item_index[known]
    if most is not None:
        chosen = _select_latest(user, item, most)
        user, item = user[chosen], item[chosen]
    users = int(clock.user.max(initial=-1)) + 1
    ones = np.ones(len(user), np.float32)
    matrix = sparse.csr_matrix((ones, (user, item)), shape=(users, clock.size))
    matrix.data[:] = 1  # the same pair twice was added up
    return matrix


def _select_latest(user: np.ndarray, item: np.ndarray, most: int) -> np.ndarray:
    """[e] events in order of time -> indices of each user's last events of `most` different items
    at the most.
    """
    pair = user[::-1].astype(np.int64) * (int(item.max(initial=0)) + 1) + item[::-1]
    _, again = np.unique(pair, return_index=True)
    newest_first = len(user) - 1 - np.sort(again)
    order = newest_first[np.argsort(user[newest_first], kind="stable")]
    place = np.arange(len(order)) - np.searchsorted(user[order], user[order])
    return order[place < most]


def build_history_matrix(seen: list[np.ndarray], size: int) -> sparse.csr_matrix:
    """[q] distinct indices of items -> [q, size] float32, 1 for each of them."""
    splits = np.concatenate([[0], np.cumsum([len(items) for items in seen])])
    indices = np.concatenate([np.zeros(0, np.int32), *seen])
    ones = np.ones(len(indices), np.float32)
    return sparse.csr_matrix((ones, indices, splits), shape=(len(seen), size))
