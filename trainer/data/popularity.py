"""Item popularity at a moment, counted only from events before it.

`PopularityClock` counts over any window of time; `PopularitySnapshots` are such counts at moments
all over the log.
"""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from schema.bulk import Bulk, find_event_bulk

if TYPE_CHECKING:  # a refresh counts votes too, and has no use for Transform's libraries
    from trainer.data.timelines import Timelines

SECONDS_PER_DAY = 86_400


@dataclasses.dataclass(frozen=True)
class PopularityClock:
    """Positive events sorted by time; answers how often each item was taken in any window of
    time.
    """

    timestamps: np.ndarray
    """[e] int64, ascending, seconds since epoch, UTC."""
    item_index: np.ndarray
    """[e] int32."""
    user: np.ndarray
    """[e] number of the user, the same in all splits."""
    size: int
    """Rows of every answer: the catalogue's items and the unknown one."""

    def counts(self, now: int | None = None, days: float | None = None) -> np.ndarray:
        """[size] events of each item in the `days` before `now` (all of the past without `days`,
        all there are without `now`).

        An event at `now` itself is not counted.
        """
        counts = np.bincount(self.item_index[self._window(now, days)], minlength=self.size)
        counts[0] = 0
        return counts

    def votes(self, now: int, days: float) -> np.ndarray:
        """[size] votes of each item in the `days` before `now`: every user has one, which he shares
        evenly among his events.

        A list is judged by how many users it serves, and so is what it is made of: with plain
        counts a few users of many events decide for all.
        """
        window = self._window(now, days)
        _, voter, events = np.unique(self.user[window], return_inverse=True, return_counts=True)
        votes = np.bincount(self.item_index[window], 1 / events[voter], minlength=self.size)
        votes[0] = 0
        return votes

    def _window(self, now: int | None, days: float | None) -> slice:
        if now is None:
            return slice(None)
        stop = np.searchsorted(self.timestamps, now, side="left")
        if days is None:
            return slice(0, int(stop))
        since = now - int(days * SECONDS_PER_DAY)
        return slice(int(np.searchsorted(self.timestamps, since, side="left")), int(stop))

    @property
    def bulk(self) -> Bulk:
        """Of the events, one at least: without those whose time is far from all others."""
        return find_event_bulk(self.timestamps)


def build_clock(splits: "list[Timelines]", size: int) -> PopularityClock:
    """Joins the splits' own positive events; `size` is the catalogue's items plus one."""
    chosen = [t.own & t.positive & (t.item_index > 0) for t in splits]
    timestamps = np.concatenate([t.timestamps[c] for t, c in zip(splits, chosen, strict=True)])
    items = np.concatenate([t.item_index[c] for t, c in zip(splits, chosen, strict=True)])
    order = np.argsort(timestamps, kind="stable")
    user = np.concatenate(
        [u[t.rows[c]] for u, t, c in zip(_number_users(splits), splits, chosen, strict=True)]
    )
    return PopularityClock(timestamps[order], items[order], user[order], size)


def _number_users(splits: "list[Timelines]") -> list[np.ndarray]:
    """Per split [u] a number for each timeline's user, the same for the same user everywhere."""
    _, numbers = np.unique(np.concatenate([t.user_ids for t in splits]), return_inverse=True)
    return np.split(numbers, np.cumsum([len(t) for t in splits])[:-1])


def compute_log_popularity(votes: np.ndarray) -> np.ndarray:
    """[n] -> [n] float32 log(1 + votes): 0 for an item that nobody took."""
    return np.log1p(votes).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class PopularitySnapshots:
    """`r` moments, and what was known at each: no event at a moment or after it has a part."""

    moments: np.ndarray
    """[r] int64, ascending, seconds since epoch, UTC."""
    log_popularity: np.ndarray
    """[r, n + 1] float32 of the items, row 0 of the items being the unknown one."""


def compute_daily_snapshots(
    clock: PopularityClock, window_days: float, most: int = 128
) -> PopularitySnapshots:
    """One at the beginning of the log's bulk and one each day from there on; in a log of more than
    `most` days as many, further apart.

    Each counts the `window_days` before it; the first knows nothing.
    """
    begin, end = clock.bulk
    step = max(SECONDS_PER_DAY, -(-(end - begin) // most))
    moments = np.arange(begin, end, step, dtype=np.int64)
    known = [compute_log_popularity(clock.votes(int(moment), window_days)) for moment in moments]
    return PopularitySnapshots(moments, np.stack(known))
