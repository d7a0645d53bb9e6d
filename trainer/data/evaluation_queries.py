"""Evaluation queries: each user of a split at the cut, and the relevant items taken after it."""

import dataclasses

import numpy as np

from trainer.data.timelines import Timelines
from trainer.data.windows import Batch, Windows, pad_windows


@dataclasses.dataclass(frozen=True)
class EvaluationQueries:
    """`q` users with at least one answer, asked all at the moment `now`."""

    timelines: Timelines
    row: np.ndarray
    """[q] the timeline that carries the user's history."""
    seen: list[np.ndarray]
    """[q] indices of the items in the user's history."""
    answers: list[np.ndarray]
    """[q] indices of the positive items taken from the cut on that were not seen before it."""
    now: int
    """Seconds since epoch, UTC."""

    def __len__(self) -> int:
        """Number of users."""
        return len(self.row)

    def only(self, chosen: np.ndarray) -> "EvaluationQueries":
        """The questions at these places, in this order."""
        return dataclasses.replace(
            self,
            row=self.row[chosen],
            seen=[self.seen[place] for place in chosen],
            answers=[self.answers[place] for place in chosen],
        )

    def batch(self, chosen: slice, length: int) -> Batch:
        """The last `length` history events of the chosen users, then one position that asks at
        `now`.
        """
        row = self.row[chosen]
        start = self.timelines.row_splits[row]
        stop = start + self.timelines.target_from[row]
        begin = np.maximum(start, stop - length)
        batch = pad_windows(self.timelines, Windows(row, begin, stop, stop), np.arange(len(row)))
        ask = {
            key: np.pad(values, [(0, 0), (0, 1)])
            for key, values in batch.items()
            if not key.startswith("user_")
        }
        ask["timestamps"][:, -1] = self.now
        return batch | ask


def build_queries(timelines: Timelines, now: int) -> EvaluationQueries:
    """One question per user. A user whose split is cut into windows is asked once, with all
    answers.
    """
    _, user = np.unique(timelines.user_ids, return_inverse=True)
    first = _find_first_windows(timelines, user)
    wanted = _group_by_user(timelines, user, timelines.own & timelines.positive)
    seen = _group_by_user(timelines, user, ~timelines.own & np.isin(timelines.rows, first))
    answers = {u: np.setdiff1d(items, seen.get(u, items[:0])) for u, items in wanted.items()}
    users = sorted(u for u, items in answers.items() if len(items))
    nothing = np.zeros(0, np.int32)
    return EvaluationQueries(
        timelines=timelines,
        row=first[users],
        seen=[np.unique(seen.get(u, nothing)) for u in users],
        answers=[answers[u] for u in users],
        now=now,
    )


def _find_first_windows(timelines: Timelines, user: np.ndarray) -> np.ndarray:
    """[users] the timeline of each user that begins earliest in the split, wherever it is
    stored.
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
    """Known items of the chosen events by user number, in time order."""
    chosen = chosen & (timelines.item_index > 0)
    users = user[timelines.rows[chosen]]
    order = np.argsort(users, kind="stable")
    present, starts = np.unique(users[order], return_index=True)
    parts = np.split(timelines.item_index[chosen][order], starts[1:])
    return dict(zip(present.tolist(), parts, strict=True)) if len(present) else {}
