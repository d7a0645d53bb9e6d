"""Items are born, rise, and fall: the trend term of an item's utility."""

from dataclasses import dataclass

import numpy as np

from pipeline.simulator.period import DAYS, LATE

OLD = 0.55
"""Share of the catalogue that is there when the period begins."""
NEW = 0.18
"""Share of the catalogue born in the last fifth of the period."""
OLDEST = 300


@dataclass(frozen=True)
class LifeCurves:
    """One curve per item, every array [items]."""

    birth: np.ndarray
    """Day of birth, whole; negative when before the period."""
    lag: np.ndarray
    """Days from birth to the peak."""
    height: np.ndarray
    """Utility that the peak adds."""

    def trend(self, day: int) -> np.ndarray:
        """Utility that each item's age adds at noon of `day`, [items]; -inf before its birth.

        height · (age/lag) · exp(1 - age/lag): 0 at birth, `height` at age = lag, back to 0 with
        age, the shape of a gamma density of order 2.
        """
        age = (day + 0.5 - self.birth) / self.lag
        return np.where(age > 0, self.height * age * np.exp(1 - np.maximum(age, 0)), -np.inf)


def draw_life_curves(rng: np.random.Generator, items: int) -> LifeCurves:
    """Life curves of `items` items in random order, at least OLD of them born before the period."""
    late_day = int(LATE * DAYS)
    old, new = int(np.ceil(OLD * items)), int(np.ceil(NEW * items))
    middle = max(items - old - new, 0)
    births = np.concatenate(
        [
            rng.integers(-OLDEST, 0, size=old),
            rng.integers(0, late_day, size=middle),
            rng.integers(late_day, DAYS, size=items - old - middle),
        ]
    )
    return LifeCurves(
        birth=rng.permutation(births),
        lag=rng.uniform(4.0, 40.0, size=items),
        height=rng.gamma(2.0, 0.8, size=items),
    )
