"""Which items may be recommended: those that are available, not on the deny list, and in a category
that the request allows.
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
    """Availability and categories of the `n` items of a catalogue."""

    available: np.ndarray
    """[n] bool; unavailable items are left out of the index."""
    categories: np.ndarray
    """[n, m] int32 category numbers of each item, padded with 0."""

    @classmethod
    def of_all(cls, items: int) -> "Eligibility":
        """All items are available and none has a category."""
        return cls(np.ones(items, bool), np.zeros((items, 1), np.int32))

    @classmethod
    def of(cls, candidates: Candidates, denied: pa.Array) -> "Eligibility":
        """From the catalogue, without the items whose ids are `denied` [d], large_binary."""
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
        """The inverse of `positions` [r]: [n + 1] int32 row of each position, r if it has no row.
        Position 0 is padding and has no row.
        """
        rows = np.full(len(self.available) + 1, len(positions), np.int32)
        rows[positions] = np.arange(len(positions))
        rows[0] = len(positions)
        return rows

    def categories_by_position(self) -> np.ndarray:
        """[n + 1, m] category numbers by position; position 0 has no category."""
        return np.pad(self.categories, [(1, 0), (0, 0)])


def count_ineligible(candidates: Candidates, denied: pa.Array) -> dict[str, int]:
    """Counts unavailable items, `denied` ids [d], large_binary, and denied ids that are not in the
    catalogue.
    """
    available = candidates.available
    missing = pc.invert(pc.is_in(denied, value_set=candidates.item_ids))
    return {
        "unavailable": 0 if available is None else pc.sum(pc.invert(available)).as_py(),
        "denied": len(denied),
        "denied_unknown": pc.sum(missing, min_count=0).as_py(),
    }


def _to_mask(flags: pa.Array) -> np.ndarray:
    return flags.to_numpy(zero_copy_only=False)


def match_categories(categories: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """Whether items with `categories` [..., m] have one of the `wanted` [w]; bool [...].

    `wanted` is padded with 0; if it has nothing else, every item is allowed. -1 is a category that
    is not in the catalogue, and matches no item.
    """
    matches = tf.logical_and(categories[..., tf.newaxis] == wanted, categories[..., tf.newaxis] > 0)
    return tf.reduce_all(wanted == 0) | tf.reduce_any(matches, axis=[-2, -1])


class CategoryTable(tf.Module):
    """Category i of `list_categories` has number i + 1; 0 is padding, -1 an unknown category."""

    def __init__(self, filters: pa.Array):
        """`filters` [n] large_list<large_binary>: each item's categories."""
        super().__init__()
        categories = list_categories(filters).to_pylist()  # one entry per category, not per item
        initializer = tf.lookup.KeyValueTensorInitializer(
            tf.constant([b"", *categories]), tf.range(len(categories) + 1, dtype=tf.int32)
        )
        self._numbers = tf.lookup.StaticHashTable(initializer, default_value=-1)

    def numbers(self, categories: tf.Tensor) -> tf.Tensor:
        """Categories of any shape -> int32 numbers."""
        return self._numbers.lookup(categories)


def list_categories(filters: pa.Array) -> pa.Array:
    """The distinct categories [c] of `filters`, sorted."""
    categories = pc.unique(filters.flatten())
    return categories.take(pc.sort_indices(categories))


def number_categories(filters: pa.Array) -> np.ndarray:
    """[n, m] int32 category numbers of each item, padded with 0."""
    lengths = pc.fill_null(pc.list_value_length(filters), 0).to_numpy(zero_copy_only=False)
    numbers = np.zeros((len(filters), max(1, int(lengths.max(initial=0)))), np.int32)
    indices = pc.index_in(filters.flatten(), value_set=list_categories(filters))
    filled = np.arange(numbers.shape[1]) < lengths[:, np.newaxis]
    numbers[filled] = indices.to_numpy(zero_copy_only=False) + 1
    return numbers


def read_deny_list(path: str | None) -> str:
    """Reads the ids of the file at `path` into one id per line; "" if `path` is None.

    Blank lines and the style of line ends are normalised, so they do not change the index. Raises
    UsageError if the file cannot be read.
    """
    if path is None:
        return ""
    item_ids = id_file.read(pathlib.Path(path), "item ids", "correct index.deny_list")
    return "".join(f"{item_id}\n" for item_id in item_ids)


def parse_deny_list(text: str) -> pa.Array:
    """The distinct ids of a deny list; blank lines are ignored."""
    return pc.unique(to_text_array(pa.array(id_file.parse(text), pa.large_string())))


def save_deny_list(text: str, uri: str) -> None:
    """Stores the deny list at `uri`, next to the index that leaves out its items."""
    with gfile.GFile(f"{uri}/{_DENY_LIST_FILE}", "w") as file:
        file.write(text)


def load_denied_ids(uri: str) -> pa.Array:
    """The denied ids that the index at `uri` leaves out."""
    with gfile.GFile(f"{uri}/{_DENY_LIST_FILE}", "r") as file:
        return parse_deny_list(file.read())
