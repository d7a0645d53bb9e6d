"""Kinds and times, value by value: delimited text and JSON must agree."""

import math

import pyarrow as pa
import pytest

from components.ingest.fields.ids import convert_ids
from components.ingest.fields.kinds import (
    convert_feature,
    convert_matches,
    convert_numbers,
    convert_positive_matches,
    convert_positives,
    convert_texts,
)
from components.ingest.fields.timestamps import TimeNotation, convert_seconds, convert_timestamps
from components.ingest.fields.vectors import convert_columns, convert_lists
from schema import features
from tests.components.ingest.fields.outcomes import outcomes


def text(*values: str) -> pa.Array:
    return pa.array(values, pa.large_string())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("4", 4.0), (" 4.5 ", 4.5), ("+.5", 0.5), ("1e3", 1000.0), ("-2.", -2.0), ("", None),
        ("nan", "bad_number"), ("inf", "bad_number"), ("1e999", "bad_number"),
        ("1e39", "bad_number"), ("4,5", "bad_number"), ("0x10", "bad_number"),
        ("\u0661", "bad_number"), ("--1", "bad_number"),
    ],
)  # fmt: skip
def test_numbers_in_text(value, expected):
    assert outcomes(convert_numbers(text(value))) == [expected]
    assert outcomes(convert_numbers([value])) == [expected]


@pytest.mark.parametrize("others", [[], ["x"]])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (4, 4.0), (True, 1.0), (None, None), (2.5, 2.5), (math.nan, "bad_number"),
        (10**400, "bad_number"), (-math.inf, "bad_number"), (1e39, "bad_number"),
    ],
)  # fmt: skip
def test_a_json_number_does_not_depend_on_other_records(value, expected, others):
    assert outcomes(convert_numbers([value, *others]))[0] == expected


def test_typed_columns_are_read_as_their_values_in_json():
    whole = pa.array([3, None, 2**53], pa.int64())
    assert outcomes(convert_ids(whole, missing="missing_item_id")) == [
        "3", "missing_item_id", str(2**53),
    ]  # fmt: skip
    assert outcomes(convert_numbers(whole)) == [3.0, None, 2.0**53]
    assert outcomes(
        convert_timestamps(pa.array([1_600_000_000], pa.int32()), TimeNotation("s"))
    ) == [1_600_000_000 * 10**9]
    # Some programs write columns of integers with missing values as floats.
    floats = pa.array([3.0, None, math.nan, 1e39], pa.float64())
    assert outcomes(convert_ids(floats, missing="missing_item_id"))[:3] == [
        "3", "missing_item_id", "inexact_id",
    ]  # fmt: skip
    assert outcomes(convert_numbers(floats)) == [3.0, None, "bad_number", "bad_number"]
    lists = pa.array([[1], None], pa.list_(pa.int64()))
    assert outcomes(convert_numbers(lists)) == ["wrong_kind", None]
    assert outcomes(convert_texts(lists)) == ["wrong_kind", None]


def test_objects_and_lists_are_not_numbers():
    assert outcomes(convert_numbers([[1], {}, "1"])) == ["wrong_kind", "wrong_kind", 1.0]


def test_identifiers():
    values = ["a", "", "  ", None, 5, 5.0, True, [1], "b" * 1024, "é" * 513, "a\nb", "a\0"]
    assert outcomes(convert_ids(values, missing="missing_user_id")) == [
        "a", "missing_user_id", "missing_user_id", "missing_user_id", "5", "5", "wrong_kind",
        "wrong_kind", "b" * 1024, "overlong_id", "bad_id", "bad_id",
    ]  # fmt: skip


def test_positives():
    assert outcomes(convert_positives([3, 4, None, "5"], at_least=4)) == [0, 1, 0, 1]


def test_values_in_a_list_are_matches():
    kinds = ["addtocart", "view", None, "", " transaction ", 5, [1], True]
    expected = [1, 0, None, None, 1, 0, "wrong_kind", 0]
    assert outcomes(convert_matches(kinds, ["addtocart", "transaction"])) == expected
    column = text("addtocart", "view", "", "Transaction")
    assert outcomes(convert_matches(column, ["addtocart", "transaction"])) == [1, 0, None, 0]
    assert outcomes(convert_matches([5, "5", 5.0, 6], ["5"])) == [1, 1, 1, 0]
    assert outcomes(convert_positive_matches(column, ["addtocart"])) == [1, 0, 0, 0]


def test_booleans_match_in_any_case():
    assert outcomes(convert_matches([True, False, None, "TRUE"], ["true"])) == [1, 0, None, 1]
    assert outcomes(convert_matches(text("True", "False", "t"), ["True"])) == [1, 0, 0]
    assert outcomes(convert_matches(pa.array([True, None, False]), ["true"])) == [1, None, 0]


def test_sets():
    kind = features.Set(kind="set", separator="|")
    in_text = outcomes(convert_feature(text("a|b", "a||", "", "|"), kind))
    assert in_text == [["a", "b"], ["a"], [], []]
    in_json = outcomes(convert_feature([["a|b", 1], "a|b", None, {}, [[1]], 3], kind))
    assert in_json == [["a|b", "1"], ["a", "b"], None, "wrong_kind", "wrong_kind", ["3"]]


def test_vectors_in_text_and_in_json():
    values = [[1, 0.5], [1], "[2, 3]", None, "", [1, math.nan], [1, "x"], [1, 10**400], "no"]
    assert outcomes(convert_lists(values, 2)) == [
        [1.0, 0.5], "wrong_kind", [2.0, 3.0], None, None, "bad_number", "wrong_kind", "bad_number",
        "wrong_kind",
    ]  # fmt: skip
    assert outcomes(convert_lists(text("[2, 3]", "", "[2]"), 2)) == [
        [2.0, 3.0], None, "wrong_kind",
    ]  # fmt: skip


@pytest.mark.parametrize("number", [pa.float32(), pa.float64()])
def test_vectors_in_arrow_lists(number):
    values = [[1, 0.5], [1], [], None, [1, math.nan], [None, 1], [math.inf, None], [-2, 3]]
    expected = [
        [1.0, 0.5], "wrong_kind", "wrong_kind", None, "bad_number", "wrong_kind", "wrong_kind",
        [-2.0, 3.0],
    ]  # fmt: skip
    assert outcomes(convert_lists(pa.array(values, pa.list_(number)), 2)) == expected
    assert outcomes(convert_lists(pa.array([[1, 2], None], pa.list_(pa.int16())), 2)) == [
        [1.0, 2.0], None,
    ]  # fmt: skip
    fixed = pa.array([[1, 2], None], pa.list_(pa.float32(), 2))
    assert outcomes(convert_lists(fixed, 2)) == [[1.0, 2.0], None]
    assert outcomes(convert_lists(pa.array([["1", "2"]]), 2)) == ["wrong_kind"]


def test_vectors_with_a_column_for_each_number():
    first = text("1", "", "2", "x", "1e39", "4")
    second = [0.5, None, None, 1, 2, "5"]
    assert outcomes(convert_columns(first, second)) == [
        [1.0, 0.5], None, "wrong_kind", "bad_number", "bad_number", [4.0, 5.0],
    ]  # fmt: skip


def test_a_vector_has_one_column_or_as_many_as_numbers():
    with pytest.raises(ValueError, match="size = 3 columns, received 2"):
        features.Vector(kind="vector", size=3, columns=["a", "b"])
    with pytest.raises(ValueError, match="received both"):
        features.Vector(kind="vector", size=1, column="a", columns=["a"])


def test_the_time_of_an_event_is_a_feature_in_seconds_too():
    column = pa.array([1_600_000_000_999_999], pa.timestamp("us"))
    assert outcomes(convert_seconds(column, TimeNotation())) == [1_600_000_000]
    assert outcomes(convert_ids(column, missing="missing_item_id")) == ["1600000000"]
