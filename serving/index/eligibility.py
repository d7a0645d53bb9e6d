"""Which items may be recommended: those that are available and not on the deny list, and of them
those of the categories that a request allows.
"""

import dataclasses
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf
from tensorflow.io import gfile

from schema import id_file
from schema.candidates import Candidates, to_text_array

_DENY_LIST_FILE = "denied.txt"


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
        available = ~_to_mask(pc.is_in(candidates.item_ids, value_set=denied))
        if candidates.available is not None:
            available &= _to_mask(candidates.available)
        if candidates.filters is None:
            return cls(available, np.zeros((len(available), 1), np.int32))
        return cls(available, number_categories(candidates.filters))

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


def count_ineligible(candidates: Candidates, denied: pa.Array) -> dict[str, int]:
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


def _to_mask(flags: pa.Array) -> np.ndarray:
    return flags.to_numpy(zero_copy_only=False)


def match_categories(categories: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """[..., m] categories of items and those that are wanted [w] -> [...] bool.

    0 pads `wanted`; where it holds nothing else, every item is allowed. -1, a category that the
    catalogue lacks, allows none.
    """
    known = tf.logical_and(categories[..., tf.newaxis] == wanted, categories[..., tf.newaxis] > 0)
    return tf.reduce_all(wanted == 0) | tf.reduce_any(known, axis=[-2, -1])


class CategoryTable(tf.Module):
    """Category i of `list_categories` has number i + 1; 0 pads, and -1 is one that no item has."""

    def __init__(self, filters: pa.Array):
        """`filters` [n] large_list<large_binary>: each item's categories."""
        super().__init__()
        known = list_categories(filters).to_pylist()  # as many as there are categories, not items
        initializer = tf.lookup.KeyValueTensorInitializer(
            tf.constant([b"", *known]), tf.range(len(known) + 1, dtype=tf.int32)
        )
        self._numbers = tf.lookup.StaticHashTable(initializer, default_value=-1)

    def numbers(self, categories: tf.Tensor) -> tf.Tensor:
        """Categories of any shape -> int32 numbers."""
        return self._numbers.lookup(categories)


def list_categories(filters: pa.Array) -> pa.Array:
    """[c] the categories of `filters` in order, each once."""
    found = pc.unique(filters.flatten())
    return found.take(pc.sort_indices(found))


def number_categories(filters: pa.Array) -> np.ndarray:
    """[n, m] int32 numbers of each item's categories, 0 where it has fewer than the most."""
    lengths = pc.fill_null(pc.list_value_length(filters), 0).to_numpy(zero_copy_only=False)
    found = np.zeros((len(filters), max(1, int(lengths.max(initial=0)))), np.int32)
    places = pc.index_in(filters.flatten(), value_set=list_categories(filters))
    filled = np.arange(found.shape[1]) < lengths[:, np.newaxis]
    found[filled] = places.to_numpy(zero_copy_only=False) + 1
    return found


def read_deny_list(path: str | None) -> str:
    """The ids of the file at `path`, each on a line of its own; "" without a file.

    Blank lines and line ends of another kind leave no trace, so they make no other index. Raises
    UsageError where the file cannot be read.
    """
    if path is None:
        return ""
    found = id_file.read(pathlib.Path(path), "item ids", "correct index.deny_list")
    return "".join(f"{item_id}\n" for item_id in found)


def parse_deny_list(text: str) -> pa.Array:
    """The ids of a deny list, each once; blank lines are none."""
    return pc.unique(to_text_array(pa.array(id_file.parse(text), pa.large_string())))


def save_deny_list(text: str, uri: str) -> None:
    """Keeps the list beside the index that was built without its items, at `uri`."""
    with gfile.GFile(f"{uri}/{_DENY_LIST_FILE}", "w") as file:
        file.write(text)


def load_denied_ids(uri: str) -> pa.Array:
    """The ids that the index at `uri` was built without."""
    with gfile.GFile(f"{uri}/{_DENY_LIST_FILE}", "r") as file:
        return parse_deny_list(file.read())
