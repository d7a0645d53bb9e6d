"""Kinds of events and counts, by hand."""

import math

import pyarrow as pa
import pytest
from pydantic import ValidationError

from components.ingest.fields.event_kinds import (
    convert_count_weights,
    convert_event_kinds,
    convert_kind_weights,
)
from schema.labels import CountWeight, Events, Labels

EVENTS = Events(column="event", positive={"addtocart": 2, "transaction": 5}, ignore=["view"])
BUYS = {"column": "e", "positive": {"buy": 1, "cart": 2}}


def text(*values: str | None) -> pa.Array:
    return pa.array(values, pa.large_string())


def test_a_kind_is_positive_ignored_or_history_only():
    values = text("transaction", "view", "hover", None, " addtocart ", "View", "")
    converted = convert_event_kinds(values, EVENTS)
    assert converted.array.to_pylist() == [1, None, 0, 0, 1, 0, 0]
    assert converted.unnamed == {"hover": 1, "View": 1, "": 2}


def test_kinds_can_be_booleans_and_numbers():
    events = Events(column="bought", positive={"true": 1}, ignore=["3"])
    assert convert_event_kinds([True, False, 3, {}], events).array.to_pylist() == [1, 0, None, 0]
    unnamed = convert_event_kinds([True, False, 3, {}], events).unnamed
    assert unnamed == {"false": 1}  # an object is unreadable, and counted as that


def test_of_many_kinds_the_most_frequent_are_counted():
    values = text(*["often"] * 3, *(f"kind {n}" for n in range(100)))
    unnamed = convert_event_kinds(values, EVENTS).unnamed
    assert unnamed["often"] == 3
    assert len(unnamed) == 20


def test_weights_of_kinds():
    values = text("transaction", "view", None, "addtocart")
    assert convert_kind_weights(values, EVENTS.positive).array.to_pylist() == [5, 0, 0, 2]


@pytest.mark.parametrize(
    ("damping", "expected"),
    [("log", [1, 1 + 3 * math.log(2), 1 + 3 * math.log(100), 1]), ("none", [1, 4, 298, 1])],
)
def test_weights_of_counts(damping, expected):
    weight = CountWeight(column="plays", damping=damping, alpha=3)
    converted = convert_count_weights(text("0", "1", "99", None), weight)
    assert converted.array.to_pylist() == pytest.approx(expected)
    assert not any(refused.any() for _, refused in converted.faults)


def test_a_negative_count_and_a_text_are_unreadable():
    converted = convert_count_weights(text("-1", "many", "2"), CountWeight(column="plays"))
    refused = {reason: mask.tolist() for reason, mask in converted.faults if mask.any()}
    assert refused == {"negative_number": [True, False, False], "bad_number": [False, True, False]}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"events": {"column": "e", "positive": {}}}, "at least 1 item"),
        ({"events": {"column": "e", "positive": {"buy": 0}}}, "greater than 0"),
        (
            {"events": {"column": "e", "positive": {"buy": 1}, "ignore": ["buy"]}},
            "expects each kind in one of positive and ignore, received 'buy' in both",
        ),
        (
            {
                "events": BUYS,
                "positive": {"column": "e", "at_least": 1},
            },
            "expects one of positive and events",
        ),
        (
            {
                "events": BUYS,
                "weight": {"column": "n"},
            },
            "expects weights from one of events and weight",
        ),
        ({"weight": {"column": "n", "alpha": -1}}, "greater than 0"),
    ],
)
def test_contradictory_labels_are_refused(labels, message):
    with pytest.raises(ValidationError, match=message):
        Labels.model_validate(labels)


def test_equal_weights_are_no_weights():
    same = Labels.model_validate({"events": {"column": "e", "positive": {"buy": 1, "cart": 1}}})
    assert not same.has_weights
    counted = same.model_copy(update={"weight": CountWeight(column="n")})
    assert counted.has_weights
