"""How popular every item stood at moments all over the log."""

import dataclasses

import numpy as np

from trainer.data.popularity import SECONDS_PER_DAY, PopularityClock, log_popularity


@dataclasses.dataclass(frozen=True)
class Refreshes:
    """`r` moments, and what was known at each: no event at a moment or after it has a part."""

    moments: np.ndarray
    """[r] int64, ascending, seconds since epoch, UTC."""
    log_popularity: np.ndarray
    """[r, n + 1] float32 of the items, row 0 of the items being the unknown one."""


def daily(clock: PopularityClock, window_days: float, most: int = 128) -> Refreshes:
    """One at the beginning of the log's bulk and one each day from there on; in a log of more than
    `most` days as many, further apart.

    Each counts the `window_days` before it; the first knows nothing.
    """
    begin, end = clock.bulk
    step = max(SECONDS_PER_DAY, -(-(end - begin) // most))
    moments = np.arange(begin, end, step, dtype=np.int64)
    known = [log_popularity(clock.votes(int(moment), window_days)) for moment in moments]
    return Refreshes(moments, np.stack(known))
