"""Which items may be recommended at all, and which of them a request's filter lets through."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from schema.candidates import Candidates
from serving import category_table


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

    @classmethod
    def of(cls, candidates: Candidates, denied: pa.Array) -> "Eligibility":
        """What the catalogue says, less the items whose ids are `denied` [d], large_binary."""
        available = ~_mask(pc.is_in(candidates.item_ids, value_set=denied))
        if candidates.available is not None:
            available &= _mask(candidates.available)
        if candidates.filters is None:
            return cls(available, np.zeros((len(available), 1), np.int32))
        return cls(available, category_table.numbers(candidates.filters))

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


def left_out(candidates: Candidates, denied: pa.Array) -> dict[str, int]:
    """How many items are not available, how many ids are denied [d], large_binary, and how many of
    those the catalogue lacks.
    """
    closed = candidates.available
    missing = pc.invert(pc.is_in(denied, value_set=candidates.item_ids))
    return {
        "unavailable": 0 if closed is None else pc.sum(pc.invert(closed)).as_py(),
        "denied": len(denied),
        "denied_unknown": pc.sum(missing, min_count=0).as_py(),
    }


def _mask(flags: pa.Array) -> np.ndarray:
    return flags.to_numpy(zero_copy_only=False)


def allowed(categories: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """[..., m] categories of items and those that are wanted [w] -> [...] bool.

    0 pads `wanted`; where it holds nothing else, every item is allowed. -1, a category that the
    catalogue lacks, allows none.
    """
    known = tf.logical_and(categories[..., tf.newaxis] == wanted, categories[..., tf.newaxis] > 0)
    return tf.reduce_all(wanted == 0) | tf.reduce_any(known, axis=[-2, -1])
