"""The categories that requests may be filtered by, as numbers."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf


class CategoryTable(tf.Module):
    """Category i of `names` has number i + 1; 0 pads, and -1 is one that no item has."""

    def __init__(self, filters: pa.Array):
        """`filters` [n] large_list<large_binary>: each item's categories."""
        super().__init__()
        known = names(filters).to_pylist()  # as many as there are categories, not items
        initializer = tf.lookup.KeyValueTensorInitializer(
            tf.constant([b"", *known]), tf.range(len(known) + 1, dtype=tf.int32)
        )
        self._numbers = tf.lookup.StaticHashTable(initializer, default_value=-1)

    def numbers(self, categories: tf.Tensor) -> tf.Tensor:
        """Categories of any shape -> int32 numbers."""
        return self._numbers.lookup(categories)


def names(filters: pa.Array) -> pa.Array:
    """[c] the categories of `filters` in order, each once."""
    found = pc.unique(filters.flatten())
    return found.take(pc.sort_indices(found))


def numbers(filters: pa.Array) -> np.ndarray:
    """[n, m] int32 numbers of each item's categories, 0 where it has fewer than the most."""
    lengths = pc.fill_null(pc.list_value_length(filters), 0).to_numpy(zero_copy_only=False)
    found = np.zeros((len(filters), max(1, int(lengths.max(initial=0)))), np.int32)
    places = pc.index_in(filters.flatten(), value_set=names(filters))
    filled = np.arange(found.shape[1]) < lengths[:, np.newaxis]
    found[filled] = places.to_numpy(zero_copy_only=False) + 1
    return found
