"""Columns of lists of items, by hand."""

import pyarrow as pa
import pytest

from components.ingest.fields.rows.item_lists import convert_item_lists

LONG = "x" * 1025


@pytest.mark.parametrize("as_objects", [False, True])
def test_empty_elements_are_no_items(as_objects):
    texts = ["a,b,", ",", None, "c,, d", " , "]
    values = texts if as_objects else pa.array(texts, pa.large_string())
    converted = convert_item_lists(values, ",")
    assert converted.array.to_pylist() == [["a", "b"], [], [], ["c", "d"], []]
    assert not any(mask.any() for _, mask in converted.faults)


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ("b\nc", "bad_id"),
        ("b\0", "bad_id"),
        (LONG, "overlong_id"),
        ({"id": 1}, "wrong_kind"),
        (1.5, "inexact_id"),
    ],
)
def test_an_element_that_is_no_id_makes_its_list_unreadable(element, reason):
    converted = convert_item_lists([["a"], ["a", element, "c"], None, [5, None, ""]], ",")
    refused = {name: mask.tolist() for name, mask in converted.faults if mask.any()}
    assert refused == {reason: [False, True, False, False]}
    lists = converted.array.to_pylist()
    assert [lists[0], lists[2], lists[3]] == [["a"], [], ["5"]]
