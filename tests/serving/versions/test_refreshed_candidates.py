import numpy as np
import pyarrow as pa
import pytest

from schema.candidates import Candidates, to_text_array
from serving.versions.refresh import NewItems, merge_items, replace_log_popularity

BEFORE = Candidates(
    item_ids=to_text_array([b"a", b"b", b"c"]),
    titles=to_text_array([b"A", b"B", b"C"]),
    vectors=np.array([[1, 0, 5], [0, 1, 6], [1, 1, 7]], np.float32),
    log_popularity_at_test=np.array([0.5, 0.6, 0.7], np.float32),
    sample_queries=np.array([[1, 1, 1]], np.float32),
    available=pa.array([True, True, False]),
    filters=pa.array([[b"x"], [], [b"y", b"x"]], pa.large_list(pa.large_binary())),
)
NEW = NewItems(
    item_ids=to_text_array([b"new", b"b", b"newer"]),
    titles=to_text_array([b"N", b"B2", b"NN"]),
    vectors=np.array([[0, 2], [3, 0], [0, 4]], np.float32),
    available=pa.array([True, False, True]),
    filters=pa.array([[b"z"], [b"x"], []], pa.large_list(pa.large_binary())),
)


@pytest.fixture(scope="module")
def refreshed():
    return merge_items(BEFORE, NEW)


def test_known_items_keep_their_positions_and_new_ones_come_after_them(refreshed):
    result = refreshed.candidates
    assert result.item_ids.to_pylist() == [b"a", b"b", b"c", b"new", b"newer"]
    assert result.titles.to_pylist() == [b"A", b"B2", b"C", b"N", b"NN"]
    assert (refreshed.added, refreshed.changed) == (2, 1)


def test_a_changed_item_has_a_new_vector_and_its_old_popularity(refreshed):
    assert refreshed.candidates.vectors.tolist() == [
        [1, 0, 5], [3, 0, 6], [1, 1, 7], [0, 2, 0], [0, 4, 0],
    ]  # fmt: skip
    assert refreshed.candidates.vectors.dtype == np.float32
    at_test = refreshed.candidates.log_popularity_at_test
    np.testing.assert_allclose(at_test, [0.5, 0.6, 0.7, 0, 0])


def test_availability_follows_the_new_records(refreshed):
    result = refreshed.candidates
    assert result.available.to_pylist() == [True, False, False, True, True]
    assert result.filters.to_pylist() == [[b"x"], [b"x"], [b"y", b"x"], [b"z"], []]


def test_a_catalogue_without_availability_stays_without():
    missing = {"available": None, "filters": None}
    before = Candidates(**{**vars(BEFORE), **missing})
    items = merge_items(before, NewItems(**{**vars(NEW), **missing})).candidates
    assert items.available is None
    assert items.filters is None


def test_popularity_replaces_the_last_column_only():
    result = replace_log_popularity(BEFORE, np.array([9.0, 8.0, 7.0]))
    assert result.vectors.tolist() == [[1, 0, 9], [0, 1, 8], [1, 1, 7]]
    assert result.item_ids is BEFORE.item_ids
