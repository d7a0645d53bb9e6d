"""Column names that are paths into nested values."""

import json

import pytest

from components.ingest.read.nested.column_path import (
    ColumnPath,
    Every,
    Match,
    has_value,
    list_base_columns,
    parse_column_path,
    select_columns,
)

EVENT = {
    "user": {"id": "u1", "address": {"city": "Ulm"}},
    "items": [{"id": 7, "tags": ["a", "b"]}, {"id": 8}, {"tags": ["c"]}],
    "params": [{"key": "page", "value": {"text": "home"}}, {"key": "n", "value": {"int": 3}}],
}


def read(record: dict, name: str):
    return select_columns([record], [name])[name][0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("user.id", "u1"),
        ("user.address.city", "Ulm"),
        ("items[0].id", 7),
        ("items[1].tags", None),
        ("items[9].id", None),
        ("items[].id", [7, 8]),
        ("items[].tags", ["a", "b", "c"]),
        ("items[].tags[]", ["a", "b", "c"]),
        ("items[0].tags[1]", "b"),
        ("params[key=page].value.text", "home"),
        ("params[key=n].value.int", 3),
        ("params[key=other].value.int", None),
        ("user[0]", None),
        ("items.id", None),
        ("nobody.id", None),
    ],
)
def test_a_path_leads_to_a_value_or_nothing(name, expected):
    assert read(EVENT, name) == expected


def test_a_column_with_the_whole_name_is_preferred_to_the_path():
    assert read({"user.id": "own", **EVENT}, "user.id") == "own"
    assert read({"user.id": None, **EVENT}, "user.id") is None


def test_a_path_leads_into_json_and_python_text():
    genres = [{"id": 16, "name": "Animation"}, {"id": 35, "name": "Comedy"}]
    for text in (json.dumps(genres), str(genres)):
        assert read({"genres": text}, "genres[].name") == ["Animation", "Comedy"]
    assert read({"genres": "[broken"}, "genres[].name") is None


@pytest.mark.parametrize("name", ["user", "", ".id", "user.", "a..b", "a[x]", "a[0", "a]", "a[-1]"])
def test_other_names_are_not_paths(name):
    assert parse_column_path(name) is None


def test_a_path_has_a_column_and_steps():
    expected = ColumnPath("a", ("b", 3, Every(), Match("k", "v w"), "c d"))
    assert parse_column_path("a.b[3][][k=v w].c d") == expected
    assert list_base_columns({"a.b", "c"}) == {"a.b", "a", "c"}


def test_a_record_has_a_value_at_a_path_or_not():
    assert has_value(EVENT, "user.id")
    assert has_value({"a.b": None}, "a.b")
    assert not has_value(EVENT, "user.name")
    assert not has_value(EVENT, "name")
