"""Queries a pushed version again, with planted models that recommend popular items."""

import json

import numpy as np
import pyarrow as pa
import pytest

from schema.candidates import Candidates, to_text_array
from schema.errors import TandemError
from serving.bulk.pushed_version import find_item_indices, open_pushed_version
from serving.bulk.users import build_user_batch
from serving.versions.origin import find_newest_version, get_extra_folder, read_origin
from tests.serving import planted_push
from tests.serving.planted_push import ORIGIN

CANDIDATES = Candidates(
    item_ids=to_text_array([b"a", b"b", b"c", b"d"]),
    titles=to_text_array([b"a", b"b", b"c", b"d"]),
    vectors=np.array([[0, 9], [0.5, 0], [0, 0], [0, 0]], np.float32),  # a was popular at push time
    log_popularity_at_test=np.zeros(4, np.float32),
    sample_queries=np.zeros((0, 2), np.float32),
)
PEOPLE = build_user_batch(
    pa.table(
        {
            "user_id": ["u", "v"],
            "item_ids": pa.array([["c"], []], pa.large_list(pa.string())),
            "timestamps": pa.array([[5], []], pa.large_list(pa.int64())),
        }
    )
)


@pytest.fixture(scope="module")
def serving_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pushed")
    planted_push.push(folder, 3, CANDIDATES, ORIGIN)
    return folder


def test_lists_use_the_popularity_at_the_time_of_the_query(serving_dir):
    pushed = open_pushed_version(serving_dir, "3")
    assert pushed.evaluated == ORIGIN.evaluated
    # a is no longer popular, c and d are: scores 0, 0.5, 3, 1; u has seen c.
    lists = pushed.lists(PEOPLE, 10, np.array([0, 0, 3, 1], np.float32), 4)
    assert lists == [["d", "b", "a"], ["c", "d", "b", "a"]]


def test_the_newest_version_and_its_origin_are_found(serving_dir, tmp_path):
    assert find_newest_version(serving_dir) == "3"
    assert find_newest_version(tmp_path) == ""
    folder = get_extra_folder(serving_dir, "3")
    assert read_origin(folder / "origin.json") == ORIGIN


OF_AN_OLDER_TANDEM = ORIGIN.model_dump(mode="json")
OF_AN_OLDER_TANDEM["evaluated"] |= {"popularity_days": 7.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "received none"),
        ("{}", "do not fit"),
        (json.dumps(OF_AN_OLDER_TANDEM), "push it again with this version of Tandem"),
    ],
)
def test_a_version_without_a_valid_origin_is_refused(tmp_path, text, message):
    file = tmp_path / "recommender" / "1" / "assets.extra" / "origin.json"
    file.parent.mkdir(parents=True)
    if text is not None:
        file.write_text(text)
    with pytest.raises(TandemError, match=message) as error:
        open_pushed_version(tmp_path, "1")
    assert str(file) in str(error.value)


def test_items_that_left_the_catalogue_are_dropped_and_the_others_move_up():
    catalogue = to_text_array([b"new", b"d", b"b"])
    item_indices = find_item_indices([["d", "a", "b"], ["a"], [], ["b"]], catalogue, 2)
    assert item_indices.tolist() == [[2, 3], [0, 0], [0, 0], [3, 0]]


def test_lists_are_no_deeper_than_the_catalogue():
    item_indices = find_item_indices([["x"]], to_text_array([b"x"]), 100)
    assert item_indices.tolist() == [[1]]
