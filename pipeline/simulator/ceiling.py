"""The best result that any method could reach on the simulated test period, and how it is measured.

The evaluation. The cut is the timestamp of the event at index floor(n · (1 - test_fraction)) of all
n events in time order. Events before the cut are history. A user's relevant items are those at or
after the cut that are not in the history; every catalogue item outside the history is ranked once.
Users without relevant items are left out. With relevant items R and the rank r = 1, 2 … of each hit
among the first K:

    Recall@K = hits / |R|
    NDCG@K   = sum of 1 / log2(r + 1) over the hits / the same sum over r = 1 … min(K, |R|)

(Järvelin and Kekäläinen 2002, binary gains), averaged over users.

The oracle. It knows every user's taste, every item's taste, popularity, birth and life curve (also
of items born after the cut), the share of events on each day of the test period, and what each
user chose before the cut. It knows neither the random draws nor the days of a given user's events.
It ranks the items outside a user's history by the choice probability, averaged over the test
period:

    s(u, i) = sum over test days d of share(d) · P(i | u, d)

with P the softmax over the items that are born by day d and not in the history at the cut.

Why it is a bound: users never choose an item twice, so the number of a user's relevant items does
not depend on which they are. Given that number, Recall@K and NDCG@K are sums over items of (item is
relevant) · (weight that falls with the rank). The expectation of such a sum is largest when items
are ordered by their probability of being relevant, which the simulator's own parameters determine.

Two approximations. A user with several test events draws without replacement on different days; s
orders by the choice rates, not by the exact inclusion probabilities, a second-order difference.
And the numbers come from one random draw and are not expectations: a method may exceed them by
chance, by about the standard error over users.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.simulator.catalogue import Catalogue
from pipeline.simulator.choices import compute_day_weights
from pipeline.simulator.users import Users
from pipeline.simulator.world import STRENGTH

MEASURES = {"recall@10": ("recall", 10), "ndcg@10": ("ndcg", 10), "recall@100": ("recall", 100)}
MAX_DEPTH = 100
_MAX_CELLS = 1 << 22
Scorer = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(users [b], history [b, items] bool) -> scores [b, items], higher first; scores of items in the
history are ignored."""


def make_oracle(catalogue: Catalogue, users: Users, test_days: np.ndarray) -> Scorer:
    """Ranks by the true choice probability; `test_days` [test events] is each event's day."""
    days, counts = np.unique(test_days, return_counts=True)
    share = counts / counts.sum()
    weights = np.stack([compute_day_weights(catalogue, int(day)) for day in days])

    def compute_expected_choice(user_index: np.ndarray, history: np.ndarray) -> np.ndarray:
        match = np.exp(STRENGTH * (users.taste[user_index] @ catalogue.taste.T - 1))
        match[history] = 0.0
        return match * ((share / (match @ weights.T)) @ weights)

    return compute_expected_choice


def make_popularity_scorer(history_items: np.ndarray, items: int) -> Scorer:
    """Ranks by the number of events before the cut; of equal items the lower index is first."""
    order = np.argsort(-np.bincount(history_items, minlength=items), kind="stable")
    scores = np.empty(items)
    scores[order] = np.arange(items, 0, -1)

    def get_popularity(user_index: np.ndarray, history: np.ndarray) -> np.ndarray:
        return np.broadcast_to(scores, history.shape)

    return get_popularity


@dataclass(frozen=True)
class TestQueries:
    """Test users, ascending, and (row of the user, item) pairs, ordered by row."""

    users: np.ndarray
    history: np.ndarray
    """[pairs, 2]"""
    relevant: np.ndarray
    """[pairs, 2]"""


def find_cut_time(timestamps: np.ndarray, test_fraction: float) -> int:
    """Timestamp of the first event of the test split; `timestamps` [n >= 1] ascending."""
    return int(timestamps[int(len(timestamps) * (1 - test_fraction))])


def select_test_queries(
    users: np.ndarray, items: np.ndarray, test: np.ndarray, at_most: int
) -> TestQueries:
    """The test users with their histories and relevant items.

    Args:
        users: User of each event, [n].
        items: Item of each event, [n].
        test: Whether each event is at or after the cut, [n] bool.
        at_most: Maximum number of users; of more, this many are selected, evenly by index.
    """
    span = int(items.max()) + 1
    pairs = users.astype(np.int64) * span + items
    history = np.unique(pairs[~test])
    relevant = np.setdiff1d(pairs[test], history)
    selected = np.unique(relevant // span)
    if len(selected) > at_most:
        selected = selected[np.linspace(0, len(selected) - 1, at_most).astype(np.int64)]
    return TestQueries(
        selected, _index_pairs(history, span, selected), _index_pairs(relevant, span, selected)
    )


def compute_scores(queries: TestQueries, items: int, scorer: Scorer) -> dict[str, float]:
    """Each of MEASURES, averaged over users; all 0.0 without users."""
    totals = dict.fromkeys(MEASURES, 0.0)
    batch = max(_MAX_CELLS // items, 1)
    for first in range(0, len(queries.users), batch):
        users = queries.users[first : first + batch]
        history = _make_mask(queries.history, first, len(users), items)
        relevant = _make_mask(queries.relevant, first, len(users), items)
        scores = np.where(history, -np.inf, scorer(users, history))
        hits = np.take_along_axis(relevant, _rank_items(scores, MAX_DEPTH), axis=1)
        for name, values in _compute_measures(hits, relevant.sum(axis=1)).items():
            totals[name] += float(values.sum())
    return {name: total / max(len(queries.users), 1) for name, total in totals.items()}


def _compute_measures(hits: np.ndarray, relevant: np.ndarray) -> dict[str, np.ndarray]:
    """`hits` [b, depth] bool by rank, `relevant` [b] number of relevant items -> measures, [b]."""
    gain = 1 / np.log2(np.arange(2, MAX_DEPTH + 2))
    measured = {}
    for name, (kind, k) in MEASURES.items():
        if kind == "recall":
            measured[name] = hits[:, :k].sum(axis=1) / relevant
        else:
            ideal = np.cumsum(gain)[np.minimum(relevant, k) - 1]
            measured[name] = hits[:, :k] @ gain[: min(k, hits.shape[1])] / ideal
    return measured


def _rank_items(scores: np.ndarray, depth: int) -> np.ndarray:
    """Items by descending score, [b, min(depth, items)]."""
    depth = min(depth, scores.shape[1])
    top = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
    return np.take_along_axis(top, order, axis=1)


def _index_pairs(pairs: np.ndarray, span: int, users: np.ndarray) -> np.ndarray:
    """Sorted user * span + item -> (row of the user in `users`, item), without other users."""
    owner, item = np.divmod(pairs, span)
    row = np.minimum(np.searchsorted(users, owner), max(len(users) - 1, 0))
    is_selected = users[row] == owner if len(users) else np.zeros(len(owner), dtype=bool)
    return np.stack([row[is_selected], item[is_selected]], axis=1)


def _make_mask(pairs: np.ndarray, first: int, users: int, items: int) -> np.ndarray:
    start, end = np.searchsorted(pairs[:, 0], [first, first + users])
    mask = np.zeros((users, items), dtype=bool)
    mask[pairs[start:end, 0] - first, pairs[start:end, 1]] = True
    return mask
