import dataclasses
import tracemalloc

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from schema import candidates
from schema.candidates import Candidates, to_text_array

MANY = 200_000


def _planted():
    return Candidates(
        item_ids=to_text_array([b"a", "é".encode(), b"\xff\x01", b"4 "]),
        titles=to_text_array([b"A", "Été, «x»".encode(), b"", b"a\nb"]),
        vectors=np.arange(12, dtype=np.float32).reshape(4, 3),
        log_popularity_at_test=np.array([0.5, 0, 1.5, 2], np.float32),
        sample_queries=np.ones((2, 3), np.float32),
    )


def _loaded(stored, folder):
    candidates.save(stored, str(folder))
    return candidates.load(str(folder))


def test_saved_candidates_are_loaded(tmp_path):
    stored = _planted()
    loaded = _loaded(stored, tmp_path / "deep" / "er")
    assert loaded.item_ids.to_pylist() == [b"a", "é".encode(), b"\xff\x01", b"4 "]
    assert loaded.titles.to_pylist() == [b"A", "Été, «x»".encode(), b"", b"a\nb"]
    for name in ("vectors", "log_popularity_at_test", "sample_queries"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(stored, name))
        assert getattr(loaded, name).dtype == np.float32
    assert (loaded.available, loaded.filters) == (None, None)


def test_availability_is_saved_and_loaded(tmp_path):
    available = pa.array([True, False, True, True])
    categories = [[b"tea", b"tin"], [], [b"tea"], ["é".encode()]]
    stored = dataclasses.replace(_planted(), available=available, filters=pa.array(categories))
    loaded = _loaded(stored, tmp_path)
    assert loaded.available is not None
    assert loaded.filters is not None
    assert loaded.available.to_pylist() == [True, False, True, True]
    assert loaded.filters.to_pylist() == categories


def test_an_empty_catalogue_and_ids_of_any_length_are_loaded(tmp_path):
    nothing = np.zeros((0, 3), np.float32)
    empty = Candidates(to_text_array([]), to_text_array([]), nothing, nothing[:, 0], nothing)
    loaded = _loaded(empty, tmp_path / "empty")
    assert (len(loaded.item_ids), loaded.vectors.shape) == (0, (0, 3))
    long = dataclasses.replace(_planted(), item_ids=to_text_array(["é" * 5000, "b", "c", "d"]))
    assert _loaded(long, tmp_path).item_ids[0].as_py() == "é".encode() * 5000


def test_only_items_are_loaded(tmp_path):
    candidates.save(_planted(), str(tmp_path))
    table = candidates.load_items(str(tmp_path))
    assert table.column_names == ["item_id", "title"]
    assert table["item_id"].to_pylist()[1] == "é".encode()


@pytest.mark.parametrize(
    ("ids", "expected"),
    [([], []), (["a", "b"], []), (["a", "b", "a", "c", "c", "c"], [b"a", b"c"])],
)
def test_repeated_ids_are_named_once(ids, expected):
    assert candidates.find_repeated_ids(to_text_array(ids)).to_pylist() == expected


def test_loaded_items_are_not_python_objects(tmp_path):
    """One bytes object per item would need more than 50 bytes of Python's memory."""
    ids = pc.cast(pa.array(np.arange(MANY)), pa.string()).cast(pa.large_binary())
    narrow = np.zeros((MANY, 2), np.float32)
    stored = Candidates(ids, ids, narrow, narrow[:, 0], narrow[:1])
    tracemalloc.start()
    loaded = _loaded(stored, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert loaded.item_ids[MANY - 1].as_py() == b"%d" % (MANY - 1)
    assert peak < 25 * MANY
    assert pq.ParquetFile(tmp_path / "items.parquet").num_row_groups > 1


def test_vectors_at_test_have_the_popularity_of_the_cut():
    result = _planted().vectors_at_test()
    assert result.tolist() == [[0, 1, 0.5], [3, 4, 0], [6, 7, 1.5], [9, 10, 2]]
    assert result.dtype == np.float32
