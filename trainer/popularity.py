"""What is popular at a moment, counted from events before it and from no other."""

import dataclasses

import numpy as np

from trainer.timelines import Timelines

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
    size: int
    """Rows of every answer: the catalogue's items and the unknown one."""

    def counts(self, now: int, days: float | None = None) -> np.ndarray:
        """[size] events of each item in the `days` before `now` (all of the past without `days`).

        An event at `now` itself is not counted.
        """
        stop = np.searchsorted(self.timestamps, now, side="left")
        begin = 0
        if days is not None:
            since = now - int(days * SECONDS_PER_DAY)
            begin = np.searchsorted(self.timestamps, since, side="left")
        counts = np.bincount(self.item_index[begin:stop], minlength=self.size)
        counts[0] = 0
        return counts

    @property
    def end(self) -> int:
        """One second after the last event: the moment at which all of them are known."""
        return int(self.timestamps[-1]) + 1


def clock(splits: list[Timelines], size: int) -> PopularityClock:
    """Joins the splits' own positive events; `size` is the catalogue's items plus one."""
    chosen = [t.own & t.positive & (t.item_index > 0) for t in splits]
    timestamps = np.concatenate([t.timestamps[c] for t, c in zip(splits, chosen, strict=True)])
    items = np.concatenate([t.item_index[c] for t, c in zip(splits, chosen, strict=True)])
    order = np.argsort(timestamps, kind="stable")
    return PopularityClock(timestamps[order], items[order], size)


def log_popularity(counts: np.ndarray) -> np.ndarray:
    """[n] counts -> [n] float32 log(1 + count): 0 for an item that nobody took."""
    return np.log1p(counts).astype(np.float32)
