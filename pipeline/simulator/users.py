"""The users: their tastes, where they live, when they join, how busy they are."""

from dataclasses import dataclass

import numpy as np

from pipeline.simulator.period import DAYS, LATE
from pipeline.simulator.vocabulary import DEVICES, REGIONS
from pipeline.simulator.world import draw_directions, unit

FOUNDING = 0.6
"""Share of the users who are there when the period begins."""
NEW = 0.12
"""Share of the users who join in the last fifth of the period."""
_LOVED = 2
_REGION, _OWN = 0.4, 0.35


@dataclass(frozen=True)
class Users:
    """User u is row u of every field."""

    taste: np.ndarray
    """[users, DIMENSIONS] unit vectors."""
    region: np.ndarray
    """[users] index into `words.REGIONS`."""
    joined: np.ndarray
    """[users] day from which on the user may come; 0 for founding users."""
    activity: np.ndarray
    """[users] relative number of events a day."""
    device: np.ndarray
    """[users, devices] how the user likes to come, rows sum to 1."""
    thrift: np.ndarray
    """[users] how much a high price keeps the user from buying, 0 or more."""

    def __len__(self) -> int:
        return len(self.region)


def draw_users(rng: np.random.Generator, users: int, category_taste: np.ndarray) -> Users:
    """Users fond of two categories each, of what their region likes, and of something of their own.

    `category_taste` [categories, DIMENSIONS]: the directions of the catalogue's categories.
    """
    region = rng.integers(len(REGIONS), size=users)
    taste = unit(
        _fondness(rng, users, len(category_taste)) @ category_taste
        + _REGION * draw_directions(rng, len(REGIONS))[region]
        + _OWN * draw_directions(rng, users)
    )
    return Users(
        taste=taste,
        region=region,
        joined=_draw_joined(rng, users),
        activity=rng.lognormal(0.0, 1.0, size=users),
        device=rng.dirichlet([3.0, 2.0, 0.7], size=users)[:, : len(DEVICES)],
        thrift=rng.gamma(2.0, 0.4, size=users),
    )


def _fondness(rng: np.random.Generator, users: int, categories: int) -> np.ndarray:
    """[users, categories]: _LOVED different categories a user, the first loved most."""
    loved = np.argsort(rng.random((users, categories)), axis=1)[:, :_LOVED]
    fondness = np.zeros((users, categories))
    np.put_along_axis(fondness, loved, np.array([[1.0, 0.6]]), axis=1)
    return fondness


def _draw_joined(rng: np.random.Generator, users: int) -> np.ndarray:
    late = LATE * DAYS
    new = int(np.ceil(NEW * users))
    founding = min(int(FOUNDING * users), users - new)
    between = users - new - founding
    joined = np.concatenate(
        [
            np.zeros(founding),
            rng.uniform(0.0, late, size=between),
            rng.uniform(late, DAYS - 1, size=new),
        ]
    )
    return rng.permutation(joined)
