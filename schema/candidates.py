"""The candidates artifact: every catalogue item as the index needs it.

`items.parquet` (item_id, title), `vectors.npy` [n, dim + 1] float32,
`log_popularity_at_test.npy` [n] and
`sample_queries.npy` [q, dim + 1], query vectors of valid users, by which an index is measured.
The last column of a vector is the log popularity at the end of the log; the query vector's last
column weighs it. Evaluation puts the log popularity at the test cut in its place.
"""

import dataclasses
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tensorflow.io import gfile

_ITEMS = "items.parquet"
_VECTORS = "vectors.npy"
_AT_TEST = "log_popularity_at_test.npy"
_QUERIES = "sample_queries.npy"


@dataclasses.dataclass(frozen=True)
class Candidates:
    """`n` items, in the order of their index, the first being index 1 of the Transform graph."""

    item_ids: np.ndarray
    """[n] bytes objects."""
    titles: np.ndarray
    """[n] bytes objects."""
    vectors: np.ndarray
    """[n, dim + 1] float32."""
    log_popularity_at_test: np.ndarray
    """[n] float32."""
    sample_queries: np.ndarray
    """[q, dim + 1] float32."""

    def vectors_at_test(self) -> np.ndarray:
        """[n, dim + 1] vectors as they stood at the test cut: no event after it has a part in
        them.
        """
        return np.column_stack([self.vectors[:, :-1], self.log_popularity_at_test])


def save(candidates: Candidates, uri: str) -> None:
    """Writes the three files below `uri`."""
    gfile.makedirs(uri)
    table = pa.table({"item_id": candidates.item_ids, "title": candidates.titles})
    with gfile.GFile(f"{uri}/{_ITEMS}", "wb") as file:
        sink = io.BytesIO()
        pq.write_table(table, sink)
        file.write(sink.getvalue())
    arrays = {
        _VECTORS: candidates.vectors,
        _AT_TEST: candidates.log_popularity_at_test,
        _QUERIES: candidates.sample_queries,
    }
    for name, values in arrays.items():
        with gfile.GFile(f"{uri}/{name}", "wb") as file:
            np.save(file, values)


def load(uri: str) -> Candidates:
    """Reads what `save` wrote."""
    table = load_items(uri)
    arrays = {}
    for name in (_VECTORS, _AT_TEST, _QUERIES):
        with gfile.GFile(f"{uri}/{name}", "rb") as file:
            arrays[name] = np.load(io.BytesIO(file.read()))
    return Candidates(
        item_ids=table["item_id"].to_numpy(),
        titles=table["title"].to_numpy(),
        vectors=arrays[_VECTORS],
        log_popularity_at_test=arrays[_AT_TEST],
        sample_queries=arrays[_QUERIES],
    )


def load_items(uri: str) -> pa.Table:
    """`item_id` and `title` alone."""
    with gfile.GFile(f"{uri}/{_ITEMS}", "rb") as file:
        return pq.read_table(io.BytesIO(file.read()))
