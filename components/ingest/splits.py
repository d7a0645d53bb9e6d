"""Where train, valid and test begin in each user's events."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from components.ingest.events import log as ordered
from components.ingest.events.splits import Clock
from components.ingest.fields.table_spec import TIMESTAMP
from schema import timeline

_FEWEST_FOR_LAST_ITEM = 3


class Edges(NamedTuple):
    """Positions in a shard's events, int64 [users] each: first <= train <= … <= stop.

    Events from `first` to `train` belong to no split: they are read as history.
    """

    first: np.ndarray
    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    stop: np.ndarray

    def own(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Per user: first event of the split, and one past the last."""
        at = 1 + timeline.SPLITS.index(split)
        return self[at], self[at + 1]


def edges(events: pa.Table, clock: Clock | None) -> Edges:
    """Of `events` in order: by the clock, or by each user's last events where there is none."""
    users = ordered.starts_of_users(events)
    if clock is None:
        return _last_items(users)
    times = events[TIMESTAMP].to_numpy()
    train, valid, test = (
        _first_at(times, users, cut) for cut in (clock.t_train, clock.t_valid, clock.t_test)
    )
    return Edges(users[:-1], train, valid, test, users[1:])


def test_begins(times: np.ndarray, users: np.ndarray, t_test: int | None) -> np.ndarray:
    """Per user, the position of the first event of test: at `t_test` or later, or by each user's
    last events without it.

    `times` [e] ascend within a user; `users` [users + 1] as of `events.starts_of_users`, where a
    user may also have no event at all.
    """
    return _last_items(users).test if t_test is None else _first_at(times, users, t_test)


def _first_at(times: np.ndarray, users: np.ndarray, cut: int) -> np.ndarray:
    """Per user, the position of the first event at `cut` or later."""
    before = np.concatenate([[0], np.cumsum(times < cut)])
    return users[:-1] + before[users[1:]] - before[users[:-1]]


def _last_items(users: np.ndarray) -> Edges:
    """Leave-one-out, as next-item benchmarks do it (Kang and McAuley, SASRec, ICDM 2018): the last
    event is test, the one before it valid; a user of fewer than three events is train alone.
    """
    first, stop = users[:-1], users[1:]
    held_out = (stop - first >= _FEWEST_FOR_LAST_ITEM).astype(np.int64)
    return Edges(first, first, stop - 2 * held_out, stop - held_out, stop)
