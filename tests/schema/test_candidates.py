import numpy as np

from schema import candidates
from schema.candidates import Candidates


def _planted():
    return Candidates(
        item_ids=np.array([b"a", "é".encode(), b"\xff\x01", b"4 "], object),
        titles=np.array([b"A", "Été, «x»".encode(), b"", b"a\nb"], object),
        vectors=np.arange(12, dtype=np.float32).reshape(4, 3),
        log_popularity_at_test=np.array([0.5, 0, 1.5, 2], np.float32),
        sample_queries=np.ones((2, 3), np.float32),
    )


def test_what_is_saved_is_loaded(tmp_path):
    stored = _planted()
    candidates.save(stored, str(tmp_path / "deep" / "er"))
    loaded = candidates.load(str(tmp_path / "deep" / "er"))
    assert loaded.item_ids.tolist() == stored.item_ids.tolist()
    assert loaded.titles.tolist() == stored.titles.tolist()
    for name in ("vectors", "log_popularity_at_test", "sample_queries"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(stored, name))
        assert getattr(loaded, name).dtype == np.float32


def test_items_alone(tmp_path):
    candidates.save(_planted(), str(tmp_path))
    table = candidates.load_items(str(tmp_path))
    assert table.column_names == ["item_id", "title"]
    assert table["item_id"].to_pylist()[1] == "é".encode()


def test_vectors_at_test_have_the_popularity_of_the_cut():
    found = _planted().vectors_at_test()
    assert found.tolist() == [[0, 1, 0.5], [3, 4, 0], [6, 7, 1.5], [9, 10, 2]]
    assert found.dtype == np.float32
