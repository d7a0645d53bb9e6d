"""When users come: in bursts with minutes between the events, in the rhythm of day and week."""

from dataclasses import dataclass

import numpy as np

from pipeline.simulator.period import DAYS, HOUR, HOURS_A_DAY, START, traffic
from pipeline.simulator.users import Users

EVENTS_A_SESSION = 3.5
"""Mean length of a session; lengths are geometric."""
_GAP = (4.6, 0.9)
"""Of the log-normal pause between two events of a session: median exp(4.6) = 100 seconds."""


@dataclass(frozen=True)
class Schedule:
    """Who comes when, in time order; ties by user. Both arrays [events]."""

    users: np.ndarray
    timestamps: np.ndarray
    """Seconds since epoch, UTC."""


def draw_schedule(rng: np.random.Generator, users: Users, events: int, cap: int) -> Schedule:
    """Exactly `events` events: at least one a user and at most `cap`.

    Needs len(users) <= events <= len(users) * cap, which `simulate` has checked.
    """
    counts = _events_by_user(rng, users, events, cap)
    owner = np.repeat(np.arange(len(users), dtype=np.int32), counts)
    begins = rng.random(events) < 1 / EVENTS_A_SESSION
    begins[np.cumsum(counts) - counts] = True
    starts = _session_starts(rng, users.joined[owner[begins]])
    timestamps = starts[np.cumsum(begins) - 1] + _since_start(rng, begins)
    order = np.lexsort((owner, timestamps))
    return Schedule(users=owner[order], timestamps=timestamps[order])


def _events_by_user(rng: np.random.Generator, users: Users, events: int, cap: int) -> np.ndarray:
    """One event each, the rest by activity and days there; what passes `cap` goes to others."""
    weight = users.activity * (DAYS - users.joined)
    counts = np.ones(len(users), dtype=np.int64)
    while (left := events - counts.sum()) > 0:
        open_ = np.where(counts < cap, weight, 0.0)
        counts = np.minimum(counts + rng.multinomial(left, open_ / open_.sum()), cap)
    return counts


def _session_starts(rng: np.random.Generator, joined: np.ndarray) -> np.ndarray:
    """Seconds since epoch, [sessions]: an hour by traffic among those after `joined`."""
    busy = np.concatenate([[0.0], np.cumsum(traffic())])
    first = busy[np.ceil(joined * HOURS_A_DAY).astype(np.int64)]
    hour = np.searchsorted(busy, rng.uniform(first, busy[-1]), side="right") - 1
    hour = np.minimum(hour, len(busy) - 2)
    return START + hour * HOUR + rng.integers(HOUR, size=len(joined))


def _since_start(rng: np.random.Generator, begins: np.ndarray) -> np.ndarray:
    """Whole seconds since the session's first event, [events]; 0 where `begins`."""
    pause = np.ceil(rng.lognormal(*_GAP, size=len(begins))).astype(np.int64)
    pause[begins] = 0
    total = np.cumsum(pause)
    return total - total[begins][np.cumsum(begins) - 1]
