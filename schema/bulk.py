"""The bulk of a log in time: all events except stragglers, a few events far from all others.

A device with a wrong clock writes an event in 2099, and a log that "ends" then has no recent
events. Everything that is measured from the end or the beginning of a log therefore uses the bulk:
the popularity that is served, the days of a split, the times at which training samples popularity.
"""

from typing import NamedTuple

import numpy as np

DAY = 86_400
_FEW = 5
_ONE_IN = 1000
_NEAREST = 10


class Bulk(NamedTuple):
    """Seconds since epoch, UTC: begin <= t < end holds for every event except stragglers."""

    begin: int
    """Time of the first event."""
    end: int
    """One second after the last event of the bulk."""


def find_bulk(times: np.ndarray, counts: np.ndarray) -> Bulk:
    """Finds the bulk of a log with at least one event.

    At either end, up to five events (one in a thousand in a log of more than 5,000 events, one in
    ten in a log of less than 50) are stragglers if the gap between them and the rest is longer than
    a day and longer than twice the longest gap among the nearest tenth (at least ten events) of the
    rest.

    Args:
        times: [t] distinct times, ascending, in seconds since epoch, UTC.
        counts: [t] number of events at each time.
    """
    early = _count_stragglers(-times[::-1], counts[::-1])
    late = _count_stragglers(times, counts)
    return Bulk(int(times[early]), int(times[len(times) - 1 - late]) + 1)


def find_event_bulk(timestamps: np.ndarray) -> Bulk:
    """Like `find_bulk`, from the time of each event [n], in any order."""
    return find_bulk(*np.unique(timestamps, return_counts=True))


def _count_stragglers(times: np.ndarray, counts: np.ndarray) -> int:
    """How many of the last `times` belong to stragglers."""
    onwards = np.cumsum(counts[::-1])[::-1]  # events at each time and after it
    total = int(onwards[0])
    most = max(total // _ONE_IN, min(_FEW, total // _NEAREST))
    rest = int(np.searchsorted(-onwards, -most))  # number of times that cannot be stragglers
    near = most + max(_NEAREST, total // _NEAREST)
    nearest = times[max(0, int(np.searchsorted(-onwards, -near, side="right")) - 1) : rest]
    usual = max(DAY, 2 * int(np.diff(nearest).max(initial=0)))
    beyond = np.flatnonzero(np.diff(times[rest - 1 :]) > usual)
    return len(times) - rest - int(beyond[0]) if len(beyond) else 0
