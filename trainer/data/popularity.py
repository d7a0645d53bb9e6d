"""Item popularity at a moment, counted only from events before it.

`PopularityClock` counts over any time window; `PopularitySnapshots` are such counts at regular
moments of the log.
"""

import dataclasses
import functools
from typing import TYPE_CHECKING

import numpy as np

from schema.bulk import Bulk, find_event_bulk

if TYPE_CHECKING:  # a refresh counts votes too, and must not import Transform's libraries
    from trainer.data.timelines import Timelines

SECONDS_PER_DAY = 86_400


@dataclasses.dataclass(frozen=True)
class PopularityClock:
    """Positive events sorted by time; counts each item's interactions in any time window."""

    timestamps: np.ndarray
    """[e] int64, ascending, seconds since epoch, UTC."""
    item_index: np.ndarray
    """[e] int32."""
    user: np.ndarray
    """[e] number of the user, the same in all splits."""
    size: int
    """Length of every result: the catalogue's items plus the unknown item."""

    def counts(self, now: int | None = None, days: float | None = None) -> np.ndarray:
        """[size] events of each item in the `days` before `now`.

        Without `days`, all events before `now`; without `now`, all events. An event at `now` itself
        is not counted.
        """
        counts = np.bincount(self.item_index[self._window(now, days)], minlength=self.size)
        counts[0] = 0
        return counts

    def votes(self, now: int, days: float) -> np.ndarray:
        """[size] votes of each item in the `days` before `now`: every user has one vote, divided
        evenly among the user's events.

        Metrics are means over users, so popularity weighs users equally too: with plain counts a
        few users with many events would decide for all.
        """
        return self._count_votes(self._window(now, days))

    def votes_between(self, begin: int, end: int) -> np.ndarray:
        """[size] votes from `begin` until just before `end`; seconds since epoch, UTC."""
        first, stop = np.searchsorted(self.timestamps, [begin, end], side="left")
        return self._count_votes(slice(int(first), int(stop)))

    def _count_votes(self, window: slice) -> np.ndarray:
        voter = self.user[window]
        weight = 1 / np.maximum(np.bincount(voter), 1)
        votes = np.bincount(self.item_index[window], weight[voter], minlength=self.size)
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

    @functools.cached_property
    def bulk(self) -> Bulk:
        """Time range of the events without outliers (see `find_event_bulk`); needs one event."""
        return find_event_bulk(self.timestamps)


def build_clock(splits: "list[Timelines]", size: int) -> PopularityClock:
    """Joins the splits' own positive events; `size` is the catalogue's items plus one."""
    chosen = [t.own & t.positive & (t.item_index > 0) for t in splits]
    timestamps = np.concatenate([t.timestamps[c] for t, c in zip(splits, chosen, strict=True)])
    items = np.concatenate([t.item_index[c] for t, c in zip(splits, chosen, strict=True)])
    order = np.argsort(timestamps, kind="stable")
    user = np.concatenate(
        [u[t.rows[c]] for u, t, c in zip(number_users(splits), splits, chosen, strict=True)]
    )
    return PopularityClock(timestamps[order], items[order], user[order], size)


def number_users(splits: "list[Timelines]") -> list[np.ndarray]:
    """Per split: [u] number of each timeline's user, the same in every split."""
    _, numbers = np.unique(np.concatenate([t.user_ids for t in splits]), return_inverse=True)
    return np.split(numbers, np.cumsum([len(t) for t in splits])[:-1])


def find_users(user_ids: np.ndarray, splits: "list[Timelines]") -> np.ndarray:
    """[q] user ids -> [q] their numbers in `number_users(splits)`; -1 for a user of no split."""
    known = np.unique(np.concatenate([t.user_ids for t in splits]))
    number = {user: position for position, user in enumerate(known)}
    return np.array([number.get(user, -1) for user in user_ids], np.int64)


@dataclasses.dataclass(frozen=True)
class PopularitySnapshots:
    """Popularity at `r` moments, each counted only from events before the moment."""

    moments: np.ndarray
    """[r] int64, ascending, seconds since epoch, UTC."""
    log_popularity: np.ndarray
    """[r, n + 1] float32; column 0 is the unknown item."""


def list_daily_moments(clock: PopularityClock, most: int = 128) -> np.ndarray:
    """[r] one moment per day from the beginning of the log's bulk on; in a log of more than `most`
    days, at most `most` moments at equal, longer intervals.
    """
    begin, end = clock.bulk
    step = max(SECONDS_PER_DAY, -(-(end - begin) // most))
    return np.arange(begin, end, step, dtype=np.int64)
