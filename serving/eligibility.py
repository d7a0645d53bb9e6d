"""Which items may be recommended at all, and which of them a request's filter lets through."""

import dataclasses

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Eligibility:
    """Of the `n` items of a catalogue."""

    available: np.ndarray
    """[n] bool: the others are in no index."""
    categories: np.ndarray
    """[n, m] int32 numbers of an item's categories, 0 where it has fewer than `m`."""

    @classmethod
    def of_all(cls, items: int) -> "Eligibility":
        """Everything is available and nothing has a category."""
        return cls(np.ones(items, bool), np.zeros((items, 1), np.int32))

    @property
    def positions(self) -> np.ndarray:
        """[available] int32 positions of the available items, ascending; the first item's is 1."""
        return (np.flatnonzero(self.available) + 1).astype(np.int32)

    def rows(self, positions: np.ndarray) -> np.ndarray:
        """The other way: [n + 1] int32 row of each position in `positions` [r], r where it has
        none. Position 0, padding, has none.
        """
        found = np.full(len(self.available) + 1, len(positions), np.int32)
        found[positions] = np.arange(len(positions))
        found[0] = len(positions)
        return found

    def categories_by_position(self) -> np.ndarray:
        """[n + 1, m]; position 0 has none."""
        return np.pad(self.categories, [(1, 0), (0, 0)])


def allowed(categories: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """[..., m] categories of items and those that are wanted [w] -> [...] bool.

    0 pads `wanted`; where it holds nothing else, every item is allowed. -1, a category that the
    catalogue lacks, allows none.
    """
    known = tf.logical_and(categories[..., tf.newaxis] == wanted, categories[..., tf.newaxis] > 0)
    return tf.reduce_all(wanted == 0) | tf.reduce_any(known, axis=[-2, -1])
