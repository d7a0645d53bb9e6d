"""How popular every item stood whenever the served popularity was refreshed."""

import dataclasses

import numpy as np

from trainer.popularity import SECONDS_PER_DAY, PopularityClock, log_popularity


@dataclasses.dataclass(frozen=True)
class Refreshes:
    """`r` moments of refresh, and what was known at each.

    An event is answered with the latest refresh before it, as a served index would: its popularity
    is as stale in training as it will be in service, and no event has a part in its own.
    """

    moments: np.ndarray
    """[r] int64, ascending, seconds since epoch, UTC."""
    log_popularity: np.ndarray
    """[r, n + 1] float32 of the items, row 0 of the items being the unknown one."""


def every(clock: PopularityClock, interval_days: float, window_days: float) -> Refreshes:
    """Refreshes at the log's beginning and each `interval_days` from there on.

    Each counts the `window_days` before it; the first knows nothing.
    """
    step = max(1, int(interval_days * SECONDS_PER_DAY))
    moments = np.arange(int(clock.timestamps[0]), clock.end, step, dtype=np.int64)
    known = [log_popularity(clock.counts(int(moment), window_days)) for moment in moments]
    return Refreshes(moments, np.stack(known))
