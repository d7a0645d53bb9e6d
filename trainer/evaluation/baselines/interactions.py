"""Sparse matrices of users' interactions with items."""

import numpy as np
from scipy import sparse

from trainer.data.popularity import PopularityClock


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
