"""The baselines that a model must beat: popularity of all time, recent popularity, item neighbours,
item transitions and, where items of the history may be recommended, the user's own items.

Item neighbours: Sarwar et al., Item-based collaborative filtering recommendation algorithms, WWW
2001, and Deshpande and Karypis, Item-based top-N recommendation algorithms, TOIS 2004. They count
co-occurrences in a sparse user-item matrix and learn nothing.
"""

import numpy as np
from scipy import sparse

from schema.recommend import Repeats
from trainer.config.blessing import PERSONAL, RECENT
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.item_transitions import build_transitions
from trainer.data.popularity import PopularityClock
from trainer.data.strongest import select_strongest
from trainer.evaluation.personal_frequency import rank_by_personal_frequency
from trainer.evaluation.transitions import rank_by_transitions
from trainer.metrics.top_k import iterate_blocks, rank_popular, scale_below, select_top_k

NEIGHBOURS = 200
SHRINKAGE = 100.0
LATEST_ITEMS = 500
"""Latest items per user that similarities are computed from. The cost is quadratic in it: without a
bound one user with 100,000 items would cost as much as 40,000 users with 500."""
_BLOCK_ITEMS = 512


def rank_baselines(
    clock: PopularityClock, queries: EvaluationQueries, recent_days: float | None, k: int
) -> dict[str, np.ndarray]:
    """The lists of each baseline, from events before the moment of the queries only.

    Args:
        clock: popularity over the events that may be known.
        queries: the evaluation queries.
        recent_days: window of the `recent` baseline; None for events without times, which have no
            such baseline.
        k: length of the lists.

    Returns:
        Name -> [q, min(k, n)] indices of items that `queries.repeats` allows, best first: `popular`
        counts events of all time, `recent` those of the last `recent_days`, `item_neighbours` uses
        co-occurrences among each user's latest items, `item_transitions` their order, and
        `personal_frequency`, which is missing where items of the history are excluded, counts the
        user's own events.
    """
    repeats = queries.repeats
    counts = clock.counts(queries.now)
    interactions = build_interaction_matrix(clock, queries.now, LATEST_ITEMS)
    similar = compute_similarities(interactions)
    lists = {"popular": rank_popular(counts, queries.interacted, k, repeats)}
    newest = counts
    if recent_days is not None:
        newest = clock.counts(queries.now, recent_days)
        lists[RECENT] = rank_popular(newest, queries.interacted, k, repeats)
    neighbours = rank_by_neighbours(queries.interacted, similar, counts, k, repeats)
    lists["item_neighbours"] = neighbours
    transitions = build_transitions(clock, queries.now)
    lists["item_transitions"] = rank_by_transitions(queries, transitions, newest, k)
    if repeats != "exclude":
        lists[PERSONAL] = rank_by_personal_frequency(queries, counts, k)
    return lists


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


def build_interaction_matrix(
    clock: PopularityClock, now: int, most: int | None = None
) -> sparse.csr_matrix:
    """[users, size] float32, 1 where a user interacted with an item before `now`; with `most`, only
    with each user's latest items, at most that many.

    Users are numbered as in the clock; one without events before `now` has an empty row.
    """
    known = clock.timestamps < now
    user, item = clock.user[known], clock.item_index[known]
    if most is not None:
        chosen = _select_latest(user, item, most)
        user, item = user[chosen], item[chosen]
    users = int(clock.user.max(initial=-1)) + 1
    ones = np.ones(len(user), np.float32)
    matrix = sparse.csr_matrix((ones, (user, item)), shape=(users, clock.size))
    matrix.data[:] = 1  # repeated pairs were summed
    return matrix


def _select_latest(user: np.ndarray, item: np.ndarray, most: int) -> np.ndarray:
    """[e] events in time order -> positions of each user's last event with each item, for at most
    `most` items.
    """
    pair = user[::-1].astype(np.int64) * (int(item.max(initial=0)) + 1) + item[::-1]
    _, last = np.unique(pair, return_index=True)
    newest_first = len(user) - 1 - np.sort(last)
    order = newest_first[np.argsort(user[newest_first], kind="stable")]
    recency = np.arange(len(order)) - np.searchsorted(user[order], user[order])
    return order[recency < most]


def build_history_matrix(interacted: list[np.ndarray], size: int) -> sparse.csr_matrix:
    """[q] arrays of distinct item indices -> [q, size] float32, 1 for each of the items."""
    splits = np.concatenate([[0], np.cumsum([len(items) for items in interacted])])
    indices = np.concatenate([np.zeros(0, np.int32), *interacted])
    ones = np.ones(len(indices), np.float32)
    return sparse.csr_matrix((ones, indices, splits), shape=(len(interacted), size))
