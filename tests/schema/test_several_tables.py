"""Arrays of tables in the configuration: their rules, names and spans."""

import pytest
from pydantic import ValidationError

from schema.dataset import Dataset


def described(**data):
    tables = {"interactions": {"path": "events.csv"}, "items": {"path": "items.csv"}}
    return Dataset.model_validate({"data": tables | data})


def test_one_table_is_the_same_as_an_array_of_one():
    assert described(interactions=[{"path": "events.csv"}]) == described()


def test_tables_keep_their_order_and_travel_as_json():
    dataset = described(
        interactions=[{"path": "views.csv"}, {"path": "buys.jsonl", "format": "jsonl"}],
        users=[{"path": "people.csv"}, {"path": "cities.csv"}],
    )
    names = [(name, table.path) for name, table in dataset.data.list_tables()]
    assert names == [
        ("interactions", "views.csv"),
        ("interactions.1", "buys.jsonl"),
        ("items", "items.csv"),
        ("users", "people.csv"),
        ("users.1", "cities.csv"),
    ]
    assert Dataset.model_validate_json(dataset.model_dump_json()) == dataset


def test_a_rule_given_in_one_table_applies_to_the_whole_log():
    dataset = described(
        interactions=[{"path": "a"}, {"path": "b", "unknown_item": "reject"}, {"path": "c"}]
    )
    assert [table.unknown_item for table in dataset.data.event_tables] == ["reject"] * 3


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        (
            {"interactions": [
                {"path": "a", "unknown_item": "keep"}, {"path": "b", "unknown_item": "fail"}
            ]},
            "one unknown_item for all its tables, received 'keep', 'fail'; keep it in one of them",
        ),
        (
            {"items": [{"path": "a", "duplicates": "last"}, {"path": "b", "duplicates": "fail"}]},
            "items expects one duplicates for all its tables",
        ),
        ({"interactions": []}, r"interactions expects at least one table, received \[\]"),
        (
            {"interactions": [{"path": "a"}, {"path": "b", "format": "sequences"}]},
            r"for data.interactions with one table, not for data.interactions.1",
        ),
        ({"interactions": ["events.csv"]}, "valid dictionary"),
    ],
)  # fmt: skip
def test_tables_that_do_not_fit_together_are_refused(tables, sentence):
    with pytest.raises(ValidationError, match=sentence):
        described(**tables)


def test_a_span_is_selected_in_every_table_that_has_spans():
    dataset = described(
        interactions=[{"path": "views/{SPAN}"}, {"path": "buys/{SPAN}"}, {"path": "old.csv"}]
    ).select_span("2024-01-31")
    spans = [table.span for table in dataset.data.event_tables]
    assert spans == ["2024-01-31", "2024-01-31", None]
