"""The bulk of a log in time: all but its stragglers, a few events far from all others.

A device whose clock is wrong writes an event of 2099, and a log that "ends" then has no recent
events. What is counted back from the end of a log, or forward from its beginning, goes by the bulk:
popularity that is served, whole days of a split, moments at which training looks at popularity.
"""

from typing import NamedTuple

import numpy as np

DAY = 86_400
_FEW = 5
_ONE_IN = 1000
_NEAREST = 10


class Bulk(NamedTuple):
    """Seconds since epoch, UTC: begin <= t < end holds of every event but the stragglers."""

    begin: int
    """Time of the first event."""
    end: int
    """One second after the last: all of them are known then."""


def find_bulk(times: np.ndarray, counts: np.ndarray) -> Bulk:
    """Of a log with at least one event: its different times [t] in order, and the events of each.

    At either end, five events at the most (or one in a thousand of a log of more than 5,000, one in
    ten of less than 50) are stragglers where a gap parts them from the rest that is longer than a
    day and than twice the longest gap among the nearest tenth (ten events at least) of the rest.
    """
    early = _count_stragglers(-times[::-1], counts[::-1])
    late = _count_stragglers(times, counts)
    return Bulk(int(times[early]), int(times[len(times) - 1 - late]) + 1)


def find_event_bulk(timestamps: np.ndarray) -> Bulk:
    """As `find_bulk`, of one time an event, in any order."""
    return find_bulk(*np.unique(timestamps, return_counts=True))


def _count_stragglers(times: np.ndarray, counts: np.ndarray) -> int:
    """How many of the last `times` are those of stragglers."""
    onwards = np.cumsum(counts[::-1])[::-1]  # events at each time and after it
    total = int(onwards[0])
    most = max(total // _ONE_IN, min(_FEW, total // _NEAREST))
    rest = int(np.searchsorted(-onwards, -most))  # times that are surely none of stragglers
    near = most + max(_NEAREST, total // _NEAREST)
    nearest = times[max(0, int(np.searchsorted(-onwards, -near, side="right")) - 1) : rest]
    usual = max(DAY, 2 * int(np.diff(nearest).max(initial=0)))
    beyond = np.flatnonzero(np.diff(times[rest - 1 :]) > usual)
    return len(times) - rest - int(beyond[0]) if len(beyond) else 0
