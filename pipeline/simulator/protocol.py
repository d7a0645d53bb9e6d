"""The evaluation protocol: who is asked what at the test cut, and how a ranking is scored.

The cut is the timestamp of the event at index floor(n · (1 - test_fraction)) of all n events in
time order. What is before the cut is history. Relevant are a user's items at or after the cut that
are not in the history; every catalogue item outside the history is ranked, once. Users with nothing
relevant are not asked. With relevant items R and the rank r = 1, 2 … of each hit among the first K:
    Recall@K = hits / |R|
    NDCG@K   = sum of 1 / log2(r + 1) over the hits / the same sum over r = 1 … min(K, |R|)
(Järvelin and Kekäläinen 2002, binary gains), averaged over the users asked.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MEASURES = {"recall@10": ("recall", 10), "ndcg@10": ("ndcg", 10), "recall@100": ("recall", 100)}
DEEPEST = 100
_CELLS = 1 << 22

Scorer = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(users [b], seen [b, items] bool) -> scores [b, items], higher first; seen ones are ignored."""


@dataclass(frozen=True)
class Question:
    """Users asked, ascending, and (place among them, item) pairs, ordered by place."""

    users: np.ndarray
    seen: np.ndarray
    """[pairs, 2]"""
    relevant: np.ndarray
    """[pairs, 2]"""


def cut_time(timestamps: np.ndarray, test_fraction: float) -> int:
    """Timestamp of the first event of the test split; `timestamps` [n >= 1] ascending."""
    return int(timestamps[int(len(timestamps) * (1 - test_fraction))])


def question(who: np.ndarray, what: np.ndarray, test: np.ndarray, at_most: int) -> Question:
    """Of events (user `who` [n], item `what` [n], `test` [n] bool: at or after the cut).

    More than `at_most` users are thinned out to that many, evenly by number.
    """
    span = int(what.max()) + 1
    pairs = who.astype(np.int64) * span + what
    history = np.unique(pairs[~test])
    relevant = np.setdiff1d(pairs[test], history)
    users = np.unique(relevant // span)
    if len(users) > at_most:
        users = users[np.linspace(0, len(users) - 1, at_most).astype(np.int64)]
    return Question(users, _placed(history, span, users), _placed(relevant, span, users))


def score(asked: Question, items: int, scorer: Scorer) -> dict[str, float]:
    """Each of MEASURES, averaged over the users asked; all 0.0 when nobody is asked."""
    totals = dict.fromkeys(MEASURES, 0.0)
    batch = max(_CELLS // items, 1)
    for first in range(0, len(asked.users), batch):
        users = asked.users[first : first + batch]
        seen = _mask(asked.seen, first, len(users), items)
        relevant = _mask(asked.relevant, first, len(users), items)
        scores = np.where(seen, -np.inf, scorer(users, seen))
        hits = np.take_along_axis(relevant, _best(scores, DEEPEST), axis=1)
        for name, values in _measure(hits, relevant.sum(axis=1)).items():
            totals[name] += float(values.sum())
    return {name: total / max(len(asked.users), 1) for name, total in totals.items()}


def _measure(hits: np.ndarray, relevant: np.ndarray) -> dict[str, np.ndarray]:
    """`hits` [b, depth] bool by rank, `relevant` [b] how many there are -> each measure, [b]."""
    gain = 1 / np.log2(np.arange(2, DEEPEST + 2))
    measured = {}
    for name, (kind, k) in MEASURES.items():
        if kind == "recall":
            measured[name] = hits[:, :k].sum(axis=1) / relevant
        else:
            ideal = np.cumsum(gain)[np.minimum(relevant, k) - 1]
            measured[name] = hits[:, :k] @ gain[: min(k, hits.shape[1])] / ideal
    return measured


def _best(scores: np.ndarray, depth: int) -> np.ndarray:
    """Items by falling score, [b, min(depth, items)]."""
    depth = min(depth, scores.shape[1])
    top = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
    return np.take_along_axis(top, order, axis=1)


def _placed(pairs: np.ndarray, span: int, users: np.ndarray) -> np.ndarray:
    """Sorted user * span + item -> (place of the user in `users`, item), other users left out."""
    owner, item = np.divmod(pairs, span)
    place = np.minimum(np.searchsorted(users, owner), max(len(users) - 1, 0))
    kept = users[place] == owner if len(users) else np.zeros(len(owner), dtype=bool)
    return np.stack([place[kept], item[kept]], axis=1)


def _mask(pairs: np.ndarray, first: int, users: int, items: int) -> np.ndarray:
    start, end = np.searchsorted(pairs[:, 0], [first, first + users])
    mask = np.zeros((users, items), dtype=bool)
    mask[pairs[start:end, 0] - first, pairs[start:end, 1]] = True
    return mask
