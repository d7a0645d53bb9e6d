"""Who took what, as one sparse matrix."""

import numpy as np
from scipy import sparse

from trainer.data.popularity import PopularityClock


def taken_before(clock: PopularityClock, now: int, most: int | None = None) -> sparse.csr_matrix:
    """[users, size] float32, 1 where a user took an item before `now`, however often; with `most`,
    of each user only the items that he took last, so many at the most.

    Users are the clock's; one without events before `now` has an empty row.
    """
    known = clock.timestamps < now
    user, item = clock.user[known], clock.item_index[known]
    if most is not None:
        chosen = _latest(user, item, most)
        user, item = user[chosen], item[chosen]
    users = int(clock.user.max(initial=-1)) + 1
    ones = np.ones(len(user), np.float32)
    matrix = sparse.csr_matrix((ones, (user, item)), shape=(users, clock.size))
    matrix.data[:] = 1  # the same pair twice was added up
    return matrix


def _latest(user: np.ndarray, item: np.ndarray, most: int) -> np.ndarray:
    """[e] events in order of time -> indices of each user's last events of `most` different items
    at the most.
    """
    pair = user[::-1].astype(np.int64) * (int(item.max(initial=0)) + 1) + item[::-1]
    _, again = np.unique(pair, return_index=True)
    newest_first = len(user) - 1 - np.sort(again)
    order = newest_first[np.argsort(user[newest_first], kind="stable")]
    place = np.arange(len(order)) - np.searchsorted(user[order], user[order])
    return order[place < most]


def histories(seen: list[np.ndarray], size: int) -> sparse.csr_matrix:
    """[q] distinct indices of items -> [q, size] float32, 1 for each of them."""
    splits = np.concatenate([[0], np.cumsum([len(items) for items in seen])])
    indices = np.concatenate([np.zeros(0, np.int32), *seen])
    ones = np.ones(len(indices), np.float32)
    return sparse.csr_matrix((ones, indices, splits), shape=(len(seen), size))
