"""Transitions between items: what users consume within a few events of an item.

Nothing is learned. Events are counted along each user's sequence, as in the sequential rules of
Ludewig and Jannach, Evaluation of session-based recommendation algorithms, UMUAI 2018. Popular
items are damped as in the random walk RP3β of Paudel et al., Updatable, accurate, diverse, and
scalable recommendations for interactive applications, TiiS 2017. That a second step along such a
graph from the latest items is a strong recommender is the observation of Han et al., An
embarrassingly simple graph heuristic reveals shortcut-solvable benchmarks for sequential
recommendation, arXiv 2605.07125, 2026.

The constants were chosen on validation splits (Amazon Beauty, MovieTweetings), not on test.
"""

import dataclasses

import numpy as np
from scipy import sparse

from trainer.data.popularity import PopularityClock
from trainer.data.strongest import select_strongest

LATEST_EVENTS = 500
"""Latest events per user that transitions are counted from."""
SUCCESSORS = 200
"""Number of successors per item."""
LATEST_ITEMS = 5
"""Latest distinct items of a history from which successors are scored."""
RECENCY_DECAY = 0.55
"""Weight of each of these items relative to the next newer one."""
_HOP_SUCCESSORS = 50
_STEP_WEIGHTS = (1.0, 0.7, 0.5)
"""Of pairs of events that are one, two and three positions apart."""
_BACKWARD_WEIGHT = 0.1
_SOURCE_DAMPING = 0.5
_TARGET_DAMPING = 0.15
_SECOND_HOP_WEIGHT = 0.3
_BLOCK_ITEMS = 4_096


@dataclasses.dataclass(frozen=True)
class ItemTransitions:
    """A graph of `size` items, the unknown item 0 included, which has no edges."""

    successors: sparse.csr_matrix
    """[size, size] float64: row i has the strengths of at most `SUCCESSORS` transitions from item
    i."""
    strongest: sparse.csr_matrix
    """[size, size] fewer of them, for the second hop."""

    def score(self, latest: list[np.ndarray]) -> sparse.csr_matrix:
        """[q] latest distinct items of each history, newest first -> [q, size] scores >= 0.

        The score of an item is its strength as successor of the latest `LATEST_ITEMS` items, of
        which older ones count less, plus a share of the strength of the paths with one item
        between. A history without items has no scores.
        """
        weights = _weigh_latest(latest, self.successors.shape[0])
        second = sparse.csr_matrix(weights @ self.strongest @ self.strongest)
        return sparse.csr_matrix(weights @ self.successors + _SECOND_HOP_WEIGHT * second)


def build_transitions(clock: PopularityClock, now: int) -> ItemTransitions:
    """The graph of the clock's events before `now`.

    A pair of events of one user, one to three positions apart, is a transition from the earlier
    item to the later one, and with less weight also in the opposite direction. Its strength is the
    weighted number of such pairs / (events of the first item ** 0.5 × events of the second item **
    0.15). Events of the same time are in the clock's order.
    """
    user, item = _select_latest_events(clock, now)
    forward = count_transitions(user, item, clock.size)
    both = sparse.csr_matrix(forward + forward.T * _BACKWARD_WEIGHT)
    counts = np.maximum(1, clock.counts(now))
    blocks = []
    for begin in range(0, clock.size, _BLOCK_ITEMS):
        rows = sparse.csr_matrix(both[begin : begin + _BLOCK_ITEMS])
        blocks.append(select_strongest(_damp_popular(rows, begin, counts), SUCCESSORS))
    successors = sparse.csr_matrix(sparse.vstack(blocks))
    return ItemTransitions(successors, select_strongest(successors, _HOP_SUCCESSORS))


def count_transitions(user: np.ndarray, item: np.ndarray, size: int) -> sparse.csr_matrix:
    """[size, size] weighted numbers of pairs in which the column's item follows the row's.

    Args:
        user: [e] user of each event; the events of a user are adjacent.
        item: [e] item of each event, in time order for each user.
        size: number of items.
    """
    total = sparse.csr_matrix((size, size))
    for distance, weight in enumerate(_STEP_WEIGHTS, start=1):
        first, second = item[:-distance], item[distance:]
        chosen = (user[:-distance] == user[distance:]) & (first != second)
        pairs = (np.full(np.count_nonzero(chosen), weight), (first[chosen], second[chosen]))
        total = total + sparse.csr_matrix(pairs, shape=(size, size))
    return sparse.csr_matrix(total)


def _select_latest_events(clock: PopularityClock, now: int) -> tuple[np.ndarray, np.ndarray]:
    """Users and items [e] of each user's latest events before `now`, by user, then by time."""
    known = clock.timestamps < now
    order = np.argsort(clock.user[known], kind="stable")
    user, item = clock.user[known][order], clock.item_index[known][order]
    latest = np.searchsorted(user, user, side="right") - np.arange(len(user)) <= LATEST_EVENTS
    return user[latest], item[latest]


def _damp_popular(rows: sparse.csr_matrix, first: int, counts: np.ndarray) -> sparse.csr_matrix:
    """Divides rows of counts, beginning with item `first`, by powers of both items' events."""
    source = first + np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    rows.data /= counts[source] ** _SOURCE_DAMPING * counts[rows.indices] ** _TARGET_DAMPING
    return rows


def _weigh_latest(latest: list[np.ndarray], size: int) -> sparse.csr_matrix:
    """[q, size] weights of the items that successors are scored from."""
    chosen = [items[:LATEST_ITEMS] for items in latest]
    splits = np.concatenate([[0], np.cumsum([len(items) for items in chosen])])
    age = np.concatenate([np.zeros(0), *(np.arange(len(items)) for items in chosen)])
    indices = np.concatenate([np.zeros(0, np.int32), *chosen])
    return sparse.csr_matrix((RECENCY_DECAY**age, indices, splits), shape=(len(latest), size))
