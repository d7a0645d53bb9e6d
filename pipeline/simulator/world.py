"""The latent space of taste: unit vectors whose dot product says how well an item suits a user."""

import numpy as np

DIMENSIONS = 8
STRENGTH = 6.0
"""Factor of the dot product in a choice's utility: the best match is exp(12) times the worst."""


def unit(rows: np.ndarray) -> np.ndarray:
    """`rows` [n, d] scaled to length 1 each; a row of zeros becomes NaN."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def draw_directions(rng: np.random.Generator, n: int) -> np.ndarray:
    """[n, DIMENSIONS] unit vectors, uniform on the sphere (Muller 1959: normalised Gaussians)."""
    return unit(rng.standard_normal((n, DIMENSIONS)))
