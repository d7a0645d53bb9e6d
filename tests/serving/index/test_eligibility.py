"""Which items may be recommended: availability, the deny list, and categories as numbers."""

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from schema import candidates
from schema.candidates import Candidates, to_text_array
from schema.errors import UsageError
from serving.index.eligibility import (
    CategoryTable,
    Eligibility,
    count_ineligible,
    load_denied_ids,
    parse_deny_list,
    read_deny_list,
    save_deny_list,
)

IDS = ["a", "b", "c", "é"]
CATEGORIES = [["tin", "tea"], [], ["tea"], ["Éclair", "tea", "tin"]]  # in order: tea, tin, Éclair
NOTHING = parse_deny_list("")


def _planted(available=None, filters=None):
    vectors = np.ones((4, 2), np.float32)
    return Candidates(
        item_ids=to_text_array(IDS),
        titles=to_text_array(IDS),
        vectors=vectors,
        log_popularity_at_test=vectors[:, 0],
        sample_queries=vectors[:1],
        available=None if available is None else pa.array(available),
        filters=None if filters is None else pa.array(filters, pa.large_list(pa.large_binary())),
    )


def test_all_items_are_available_by_default():
    eligible = Eligibility.of(_planted(), NOTHING)
    assert eligible.available.tolist() == [True] * 4
    assert eligible.categories.tolist() == [[0]] * 4


def test_availability_is_stored_and_combined_with_the_deny_list(tmp_path):
    candidates.save(_planted([True, False, True, True], CATEGORIES), str(tmp_path))
    stored = candidates.load(str(tmp_path))
    denied = parse_deny_list("é\nnobody\n\nb\r\né\n")
    eligible = Eligibility.of(stored, denied)
    assert eligible.available.tolist() == [True, False, True, False]
    assert eligible.positions.tolist() == [1, 3]
    assert eligible.categories.tolist() == [[2, 1, 0], [0, 0, 0], [1, 0, 0], [3, 1, 2]]
    counted = count_ineligible(stored, denied)
    assert counted == {"unavailable": 1, "denied": 3, "denied_unknown": 1}


def test_without_a_declaration_no_items_are_counted():
    counted = count_ineligible(_planted(), NOTHING)
    assert counted == {"unavailable": 0, "denied": 0, "denied_unknown": 0}


def test_the_graph_uses_the_same_category_numbers_as_the_index():
    filters = _planted(filters=CATEGORIES).filters
    categories = tf.constant([["tea", "Éclair", ""], ["nothing", "tin", "Tea"]])
    assert CategoryTable(filters).numbers(categories).numpy().tolist() == [[1, 3, 0], [-1, 2, -1]]


def test_a_filter_without_matching_items_returns_nothing():
    stored = _planted(filters=[[], [], [], []])
    assert Eligibility.of(stored, NOTHING).categories.tolist() == [[0]] * 4
    numbers = CategoryTable(stored.filters).numbers(tf.constant(["tea", ""]))
    assert numbers.numpy().tolist() == [-1, 0]


def test_a_deny_list_is_saved_with_its_index(tmp_path):
    path = tmp_path / "denied"
    path.write_bytes("\ufeffé\r\n\r\n  \n x y\t\n".encode())
    save_deny_list(read_deny_list(str(path)), str(tmp_path))
    assert load_denied_ids(str(tmp_path)).to_pylist() == ["é".encode(), b"x y"]
    assert read_deny_list(None) == ""


@pytest.mark.parametrize(("content", "message"), [(None, "No such file"), (b"\xff\n", "UTF-8")])
def test_an_unreadable_deny_list_is_named(tmp_path, content, message):
    path = tmp_path / "denied"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=f"index.deny_list|{message}") as error:
        read_deny_list(str(path))
    assert str(path) in str(error.value)
    assert message in str(error.value)
