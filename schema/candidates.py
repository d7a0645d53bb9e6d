"""The candidates artifact: every catalogue item in the form that the index needs.

`items.parquet` (item_id, title; available and filters if the catalogue declares them),
`vectors.npy` [n, dim + 1] float32, `log_popularity_at_test.npy` [n] and
`sample_queries.npy` [q, dim + 1], query vectors of users in valid, with which an index is measured.
The last column of an item vector is the log popularity at the end of the log; the last column of a
query vector is its weight. Evaluation replaces it with the log popularity at the test cut.

Strings are Arrow arrays instead of Python objects, because a catalogue has millions of them.
"""

import dataclasses
import io
import os
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tensorflow.io import gfile

from schema.storage import object_store
from schema.storage.locations import is_remote

_ITEMS = "items.parquet"
_VECTORS = "vectors.npy"
_AT_TEST = "log_popularity_at_test.npy"
_QUERIES = "sample_queries.npy"
_ROW_GROUP = 65_536
_BYTES = pa.large_binary()
_TYPES = {
    "item_id": _BYTES,
    "title": _BYTES,
    "available": pa.bool_(),
    "filters": pa.large_list(_BYTES),
}


class _Stream(gfile.GFile):
    """A file on any file system of TensorFlow, with the `closed` attribute that Arrow requires."""

    closed = False


@dataclasses.dataclass(frozen=True)
class Candidates:
    """`n` items in index order; the first one has index 1 in the Transform graph."""

    item_ids: pa.Array
    """[n] large_binary."""
    titles: pa.Array
    """[n] large_binary."""
    vectors: np.ndarray
    """[n, dim + 1] float32."""
    log_popularity_at_test: np.ndarray
    """[n] float32."""
    sample_queries: np.ndarray
    """[q, dim + 1] float32."""
    available: pa.Array | None = None
    """[n] bool: whether an item may be recommended; None if the catalogue has no such column."""
    filters: pa.Array | None = None
    """[n] large_list<large_binary>, the categories that a request can filter by; None if the
    catalogue declares no filter."""

    def vectors_at_test(self) -> np.ndarray:
        """[n, dim + 1] vectors with the popularity at the test cut; no later event affects it."""
        return np.column_stack([self.vectors[:, :-1], self.log_popularity_at_test])


def to_text_array(values: Any) -> pa.Array:
    """Converts an Arrow array or a sequence of bytes or strings to [n] large_binary."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return array.cast(_BYTES)


def find_repeated_ids(item_ids: pa.Array) -> pa.Array:
    """Returns the distinct ids that occur more than once in `item_ids` [n]."""
    if pc.count_distinct(item_ids).as_py() == len(item_ids):
        return item_ids[:0]
    counts = pc.value_counts(item_ids)
    return counts.field("values").filter(pc.greater(counts.field("counts"), 1))


def save(candidates: Candidates, uri: str) -> None:
    """Writes the files below `uri`, without a second copy of all data in memory."""
    gfile.makedirs(uri)
    table = _build_table(candidates)
    with _Stream(f"{uri}/{_ITEMS}", "wb") as file:
        pq.write_table(table, file, row_group_size=_ROW_GROUP)
    arrays = {
        _VECTORS: candidates.vectors,
        _AT_TEST: candidates.log_popularity_at_test,
        _QUERIES: candidates.sample_queries,
    }
    for name, values in arrays.items():
        with gfile.GFile(f"{uri}/{name}", "wb") as file:
            np.save(file, values)


def _build_table(candidates: Candidates) -> pa.Table:
    columns = {
        "item_id": candidates.item_ids,
        "title": candidates.titles,
        "available": candidates.available,
        "filters": candidates.filters,
    }
    return pa.table({n: v.cast(_TYPES[n]) for n, v in columns.items() if v is not None})


def load(uri: str) -> Candidates:
    """Reads the files of `save`. On a local disk the `.npy` files are memory-mapped, read-only."""
    columns = {name: column.combine_chunks() for name, column in _read_items(uri, None).items()}
    return Candidates(
        item_ids=columns["item_id"],
        titles=columns["title"],
        vectors=_load_array(f"{uri}/{_VECTORS}"),
        log_popularity_at_test=_load_array(f"{uri}/{_AT_TEST}"),
        sample_queries=_load_array(f"{uri}/{_QUERIES}"),
        available=columns.get("available"),
        filters=columns.get("filters"),
    )


def load_items(uri: str) -> pa.Table:
    """Reads the columns `item_id` and `title` only."""
    return pa.table(_read_items(uri, ["item_id", "title"]))


def _read_items(uri: str, names: list[str] | None) -> dict[str, pa.ChunkedArray]:
    with _open_file(f"{uri}/{_ITEMS}") as file:
        table = pq.read_table(file, columns=names)
    return {name: table[name].cast(_TYPES[name]) for name in table.column_names}


def _load_array(path: str) -> np.ndarray:
    if os.path.isfile(path):
        return np.load(path, mmap_mode="r")
    with _open_file(path) as file:
        return np.load(file)


def _open_file(path: str) -> Any:
    """Opens a file for reading; TensorFlow does not support s3://."""
    if is_remote(path):
        return io.BytesIO(object_store.read(path))
    return _Stream(path, "rb")
