"""Evaluation queries: each user of a split at the cut, and the relevant items after it."""

import dataclasses

import numpy as np

from schema.recommend import Repeats
from trainer.data.timelines import Timelines
from trainer.data.windows import Batch, Windows, pad_windows


@dataclasses.dataclass(frozen=True)
class EvaluationQueries:
    """`q` users with at least one relevant item each, all queried at the moment `now`."""

    timelines: Timelines
    row: np.ndarray
    """[q] index of the timeline that holds the user's history."""
    interacted: list[np.ndarray]
    """[q] indices of the items in the user's history."""
    relevant: list[np.ndarray]
    """[q] indices of the relevant items: positive from the cut on, and among those that `repeats`
    allows."""
    now: int
    """Seconds since epoch, UTC."""
    repeats: Repeats = "exclude"
    """Whether lists hold items of the history."""

    def __len__(self) -> int:
        """Number of users."""
        return len(self.row)

    def select(self, chosen: np.ndarray) -> "EvaluationQueries":
        """The queries at these positions, in this order."""
        return dataclasses.replace(
            self,
            row=self.row[chosen],
            interacted=[self.interacted[query] for query in chosen],
            relevant=[self.relevant[query] for query in chosen],
        )

    def batch(self, chosen: slice, length: int) -> Batch:
        """The last `length` history events of the chosen users, followed by one position for the
        query at `now`.
        """
        row = self.row[chosen]
        start = self.timelines.row_splits[row]
        stop = start + self.timelines.target_from[row]
        begin = np.maximum(start, stop - length)
        batch = pad_windows(self.timelines, Windows(row, begin, stop, stop), np.arange(len(row)))
        with_query = {
            key: np.pad(values, [(0, 0), (0, 1)])
            for key, values in batch.items()
            if not key.startswith("user_")
        }
        with_query["timestamps"][:, -1] = self.now
        return batch | with_query


def build_queries(
    timelines: Timelines, now: int, repeats: Repeats = "exclude"
) -> EvaluationQueries:
    """One query per user with a relevant item. A user whose split is cut into several windows has
    one query, with the relevant items of all windows.

    Relevant are the items of the user's positive events that are new to the user; with `repeats`
    "allow" all of them; with "only" those that are not new.
    """
    _, user = np.unique(timelines.user_ids, return_inverse=True)
    first = _find_first_windows(timelines, user)
    positive = _group_by_user(timelines, user, timelines.own & timelines.positive)
    interacted = _group_by_user(timelines, user, ~timelines.own & np.isin(timelines.rows, first))
    relevant = {
        u: _select_relevant(items, interacted.get(u, items[:0]), repeats)
        for u, items in positive.items()
    }
    users = sorted(u for u, items in relevant.items() if len(items))
    empty = np.zeros(0, np.int32)
    return EvaluationQueries(
        timelines=timelines,
        row=first[users],
        interacted=[np.unique(interacted.get(u, empty)) for u in users],
        relevant=[relevant[u] for u in users],
        now=now,
        repeats=repeats,
    )


def _select_relevant(items: np.ndarray, interacted: np.ndarray, repeats: Repeats) -> np.ndarray:
    """The distinct `items` that lists can hold."""
    if repeats == "allow":
        return np.unique(items)
    select = np.intersect1d if repeats == "only" else np.setdiff1d
    return select(items, interacted)


def _find_first_windows(timelines: Timelines, user: np.ndarray) -> np.ndarray:
    """[users] the timeline of each user whose part in the split begins earliest, in any storage
    order.
    """
    own = timelines.row_splits[:-1] + timelines.target_from
    moment = timelines.timestamps[np.minimum(own, len(timelines.timestamps) - 1)]
    moment = np.where(own < timelines.row_splits[1:], moment, np.iinfo(np.int64).max)
    order = np.lexsort((timelines.target_from, moment, user))
    _, first = np.unique(user[order], return_index=True)
    return order[first]


def _group_by_user(
    timelines: Timelines, user: np.ndarray, chosen: np.ndarray
) -> dict[int, np.ndarray]:
    """User number -> items of the chosen events that are in the catalogue, in time order."""
    chosen = chosen & (timelines.item_index > 0)
    users = user[timelines.rows[chosen]]
    order = np.argsort(users, kind="stable")
    present, starts = np.unique(users[order], return_index=True)
    parts = np.split(timelines.item_index[chosen][order], starts[1:])
    return dict(zip(present.tolist(), parts, strict=True)) if len(present) else {}
