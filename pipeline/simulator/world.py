"""The simulated world: the latent space of taste, and the simulated period.

Tastes are unit vectors; the dot product measures how well an item suits a user.
"""

import numpy as np

DIMENSIONS = 8
STRENGTH = 6.0
"""Factor of the dot product in a choice's utility: the best match is exp(12) times the worst."""
START = 1_704_067_200
"""Monday 1 January 2024 00:00 UTC, seconds since epoch."""
DAYS = 120
DAY = 86_400
HOUR = 3_600
HOURS_A_DAY = 24
LATE = 0.8
"""Share of the period after which an item or a user counts as late."""

_BY_HOUR = (2, 1, 1, 1, 1, 2, 4, 6, 7, 7, 8, 9, 11, 10, 8, 8, 9, 11, 13, 16, 18, 17, 11, 5)
_BY_WEEKDAY = (1.0, 0.95, 0.95, 1.0, 1.1, 1.4, 1.5)


def normalise_rows(rows: np.ndarray) -> np.ndarray:
    """`rows` [n, d] scaled to length 1 each; a row of zeros becomes NaN."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def draw_directions(rng: np.random.Generator, n: int) -> np.ndarray:
    """[n, DIMENSIONS] unit vectors, uniform on the sphere (Muller 1959: normalised Gaussians)."""
    return normalise_rows(rng.standard_normal((n, DIMENSIONS)))


def compute_traffic() -> np.ndarray:
    """Relative traffic of every hour of the period, [DAYS * 24], from Monday midnight on."""
    weekday = np.resize(_BY_WEEKDAY, DAYS)
    return np.outer(weekday, _BY_HOUR).ravel()


def compute_days(timestamps: np.ndarray) -> np.ndarray:
    """Day of the period, 0 … DAYS-1, of `timestamps` [n], seconds since epoch, UTC; later events
    count as the last day.
    """
    return np.minimum((timestamps - START) // DAY, DAYS - 1)
