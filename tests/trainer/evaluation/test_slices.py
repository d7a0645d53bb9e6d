import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trainer.evaluation.slices import (
    slice_by_activity,
    slice_by_age,
    slice_by_history,
    slice_by_popularity,
    slice_by_value,
)


def rows(parts):
    return {part.name: np.flatnonzero(part.chosen).tolist() for part in parts}


def test_new_and_warm_users():
    table_rows = rows(slice_by_history(np.array([0, 3, 0, 1])))
    assert table_rows == {"new users": [0, 2], "warm users": [1, 3]}


def test_activity_is_split_into_equal_parts():
    history = np.array([8, 0, 1, 2, 3, 4, 5, 6, 7])
    assert rows(slice_by_activity(history)) == {
        "1-2 items": [2, 3],
        "3-4 items": [4, 5],
        "5-6 items": [6, 7],
        "7-8 items": [0, 8],
    }


def test_users_of_the_same_activity_stay_together():
    assert rows(slice_by_activity(np.array([1, 1, 1, 1, 1, 7]))) == {
        "1 item": [0, 1, 2, 3, 4],
        "2-7 items": [5],
    }
    assert slice_by_activity(np.zeros(3, int)) == []


@given(st.lists(st.integers(0, 12), max_size=40))
def test_every_warm_user_is_in_one_part(history):
    counts = np.array(history, int)
    parts = slice_by_activity(counts)
    chosen = sum((part.chosen.astype(int) for part in parts), np.zeros(len(counts), int))
    assert chosen.tolist() == [int(count > 0) for count in history]
    assert all(part.chosen.any() for part in parts)


def test_items_are_sliced_by_known_events():
    events = np.array([0, 6, 5, 1, 0, 90])
    assert rows(slice_by_popularity(np.array([5, 4, 3, 2, 1, 4]), events)) == {
        "new items": [1, 5],
        "rare items": [2, 3],
        "middle items": [4],
        "head items": [0],
    }


def test_days_since_the_cut():
    assert rows(slice_by_age(np.array([0, 0.9, 1, 6.9, 7, 30, 300]))) == {
        "day 0-1": [0, 1],
        "day 1-7": [2, 3],
        "day 7-30": [4],
        "from day 30 on": [5, 6],
    }


def test_values_of_a_category():
    table_rows = rows(slice_by_value(np.array([2, 1, 2, 0]), ["north", "south"]))
    assert table_rows == {"south": [0, 2], "north": [1], "no known value": [3]}


def test_values_of_a_set_overlap():
    table_rows = rows(slice_by_value(np.array([[2, 1], [1, 0], [0, 0]]), ["crime", "drama"]))
    assert table_rows == {"crime": [0, 1], "drama": [0], "no known value": [2]}


def test_the_values_of_few_rows_share_a_slice():
    values = np.concatenate([np.repeat(np.arange(1, 11), 2), [11, 12]])  # 10 values twice
    table_rows = rows(slice_by_value(values, [f"v{n}" for n in range(1, 13)]))
    assert list(table_rows)[-3:] == ["v10", "2 other values", "no known value"]
    assert table_rows["2 other values"] == [20, 21]
    assert table_rows["no known value"] == []


def test_a_value_that_no_row_has_is_an_empty_slice():
    table_rows = rows(slice_by_value(np.array([2, 2]), ["north", "south", "west"]))
    assert table_rows == {"south": [0, 1], "north": [], "west": [], "no known value": []}
    assert rows(slice_by_value(np.zeros(2, int), [])) == {"no known value": [0, 1]}


def test_of_many_values_only_those_with_rows_share_the_last_slice():
    values = np.concatenate([np.arange(1, 11), [14]])
    table_rows = rows(slice_by_value(values, [f"v{n}" for n in range(1, 20)]))
    assert list(table_rows) == [
        *(f"v{n}" for n in range(1, 11)),
        "1 other values",
        "no known value",
    ]


def test_no_row_is_in_no_slice():
    for nothing in (np.zeros(0, int), np.zeros((0, 3), int)):
        assert rows(slice_by_value(nothing, ["north"])) == {"north": [], "no known value": []}


def test_a_feature_without_any_value_has_the_slice_of_those_without():
    assert rows(slice_by_value(np.zeros((3, 1), np.int32), [])) == {"no known value": [0, 1, 2]}


def test_a_value_with_the_name_of_a_built_in_slice_has_its_own():
    names = ["no known value", "2 other values", '"no known value"', "another value", "v"]
    values = np.array([1, 1, 2, 3, 4, 5, 0])
    assert rows(slice_by_value(values, names, most=3)) == {
        '"no known value"': [0, 1],
        '"2 other values"': [2],
        '""no known value""': [3],
        "2 other values": [4, 5],
        "no known value": [6],
    }
