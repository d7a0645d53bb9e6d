"""The users: their tastes, regions, activity, and the times of their events.

Events come in sessions with minutes between events, by the traffic of the day and the week.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.simulator.vocabulary import DEVICES, REGIONS
from pipeline.simulator.world import (
    DAYS,
    HOUR,
    HOURS_A_DAY,
    LATE,
    START,
    compute_traffic,
    draw_directions,
    normalise_rows,
)

FOUNDING_SHARE = 0.6
"""Share of the users who are active from the beginning of the period."""
NEW_SHARE = 0.12
"""Share of the users who join in the last fifth of the period."""
_FAVOURITE_CATEGORIES = 2
_REGION_WEIGHT, _OWN_WEIGHT = 0.4, 0.35
EVENTS_PER_SESSION = 3.5
"""Mean length of a session; lengths are geometric."""
_PAUSE = (4.6, 0.9)
"""Mean and deviation of the logarithm of the pause between two events of a session, in seconds:
median exp(4.6) = 100 s."""


@dataclass(frozen=True)
class Users:
    """User u is row u of every field."""

    taste: np.ndarray
    """[users, DIMENSIONS] unit vectors."""
    region: np.ndarray
    """[users] index into REGIONS."""
    joined: np.ndarray
    """[users] first day of the user; 0 for founding users."""
    activity: np.ndarray
    """[users] relative number of events a day."""
    device: np.ndarray
    """[users, devices] share of each device, rows sum to 1."""
    thrift: np.ndarray
    """[users] price sensitivity, 0 or more."""

    def __len__(self) -> int:
        return len(self.region)


def draw_users(rng: np.random.Generator, users: int, category_taste: np.ndarray) -> Users:
    """Draws users: tastes mix two favourite categories, the region's taste, and an individual part.

    `category_taste` [categories, DIMENSIONS]: the directions of the catalogue's categories.
    """
    region = rng.integers(len(REGIONS), size=users)
    taste = normalise_rows(
        _draw_category_weights(rng, users, len(category_taste)) @ category_taste
        + _REGION_WEIGHT * draw_directions(rng, len(REGIONS))[region]
        + _OWN_WEIGHT * draw_directions(rng, users)
    )
    return Users(
        taste=taste,
        region=region,
        joined=_draw_joined(rng, users),
        activity=rng.lognormal(0.0, 1.0, size=users),
        device=rng.dirichlet([3.0, 2.0, 0.7], size=users)[:, : len(DEVICES)],
        thrift=rng.gamma(2.0, 0.4, size=users),
    )


def _draw_category_weights(rng: np.random.Generator, users: int, categories: int) -> np.ndarray:
    """[users, categories]: weights of each user's favourite categories."""
    favourites = np.argsort(rng.random((users, categories)), axis=1)[:, :_FAVOURITE_CATEGORIES]
    weights = np.zeros((users, categories))
    np.put_along_axis(weights, favourites, np.array([[1.0, 0.6]]), axis=1)
    return weights


def _draw_joined(rng: np.random.Generator, users: int) -> np.ndarray:
    late = LATE * DAYS
    new = int(np.ceil(NEW_SHARE * users))
    founding = min(int(FOUNDING_SHARE * users), users - new)
    between = users - new - founding
    joined = np.concatenate(
        [
            np.zeros(founding),
            rng.uniform(0.0, late, size=between),
            rng.uniform(late, DAYS - 1, size=new),
        ]
    )
    return rng.permutation(joined)


@dataclass(frozen=True)
class Schedule:
    """User and time of every event, in order of time, then user; both arrays [events]."""

    users: np.ndarray
    timestamps: np.ndarray
    """Seconds since epoch, UTC."""


def draw_schedule(rng: np.random.Generator, users: Users, events: int, cap: int) -> Schedule:
    """Draws users and times of exactly `events` events, between 1 and `cap` per user.

    Requires len(users) <= events <= len(users) * cap, which `simulate` checks.

    Args:
        rng: Source of the draws.
        users: All users.
        events: Number of events.
        cap: Maximum number of events of one user.
    """
    counts = _draw_event_counts(rng, users, events, cap)
    owner = np.repeat(np.arange(len(users), dtype=np.int32), counts)
    starts_session = rng.random(events) < 1 / EVENTS_PER_SESSION
    starts_session[np.cumsum(counts) - counts] = True
    starts = _draw_session_starts(rng, users.joined[owner[starts_session]])
    timestamps = starts[np.cumsum(starts_session) - 1] + _draw_offsets(rng, starts_session)
    order = np.lexsort((owner, timestamps))
    return Schedule(users=owner[order], timestamps=timestamps[order])


def _draw_event_counts(rng: np.random.Generator, users: Users, events: int, cap: int) -> np.ndarray:
    """[users]: one event each, the rest by activity and days since joining, at most `cap`."""
    weight = users.activity * (DAYS - users.joined)
    counts = np.ones(len(users), dtype=np.int64)
    while (left := events - counts.sum()) > 0:
        open_ = np.where(counts < cap, weight, 0.0)
        counts = np.minimum(counts + rng.multinomial(left, open_ / open_.sum()), cap)
    return counts


def _draw_session_starts(rng: np.random.Generator, joined: np.ndarray) -> np.ndarray:
    """Seconds since epoch, [sessions]: an hour by traffic among those after `joined`."""
    busy = np.concatenate([[0.0], np.cumsum(compute_traffic())])
    first = busy[np.ceil(joined * HOURS_A_DAY).astype(np.int64)]
    hour = np.searchsorted(busy, rng.uniform(first, busy[-1]), side="right") - 1
    hour = np.minimum(hour, len(busy) - 2)
    return START + hour * HOUR + rng.integers(HOUR, size=len(joined))


def _draw_offsets(rng: np.random.Generator, starts_session: np.ndarray) -> np.ndarray:
    """Whole seconds since the session's first event, [events]; 0 where `starts_session`."""
    pause = np.ceil(rng.lognormal(*_PAUSE, size=len(starts_session))).astype(np.int64)
    pause[starts_session] = 0
    total = np.cumsum(pause)
    return total - total[starts_session][np.cumsum(starts_session) - 1]
