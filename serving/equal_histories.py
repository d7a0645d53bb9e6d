"""Which users are asked about together: those who bring as many events, so that no row is padded
and a list does not depend on who else is asked about.
"""

from collections.abc import Iterator

import numpy as np

_EVENTS = 2**20
"""Events of all users of one call, padding of the longest histories included, at the most."""


def calls(lengths: np.ndarray, read: int, most: int) -> Iterator[tuple[np.ndarray, int]]:
    """Positions of users with `lengths` [u] events each, at most `most` at a time, and how many of
    their latest events, at most `read`, all of them bring as history.
    """
    brought = np.minimum(lengths, read)
    order = np.lexsort((lengths, brought))
    for alike in np.split(order, np.flatnonzero(np.diff(brought[order])) + 1):
        for rows in _parts(alike, lengths, most):
            yield rows, int(brought[rows[0]])


def _parts(alike: np.ndarray, lengths: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """Users in order of their lengths -> at most `most` at a time, and no more than go with
    `_EVENTS` places when all take as many as the longest.
    """
    while len(alike):
        rows = alike[:most]
        while len(rows) > 1 and len(rows) * lengths[rows[-1]] > _EVENTS:
            rows = rows[: len(rows) // 2]
        yield rows
        alike = alike[len(rows) :]
