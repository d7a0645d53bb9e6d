"""Rows of impressions, and what each of them becomes, by hand."""

import numpy as np
import pytest

from components.ingest.events.event_tables import build_events_spec
from components.ingest.fields.parser import accept_records
from components.ingest.read.lines import Lines
from components.ingest.read.records import Records
from schema.dataset import Dataset

T0 = 1_600_000_000


def accept(rows: list[dict], **keys):
    """(item, items shown and not clicked) of the accepted events, reasons, number of unused."""
    log = {"path": "log.jsonl", "impressions": {"shown": "shown"}, **keys}
    labels = {"ranking": {"dwell": {"column": "dwell", "kind": "regression"}}}
    dataset = Dataset.model_validate({"data": {"interactions": log}, "labels": labels})
    spec = build_events_spec(dataset, 0, 1)
    columns = {name: [row.get(name) for row in rows] for name in ("item_id", "shown", "dwell")}
    columns |= {"user_id": ["u"] * len(rows), "timestamp": [T0] * len(rows)}
    at = np.arange(len(rows))
    parsed = accept_records(Lines("x", ["raw"] * len(rows), at, []), Records(columns, at, {}), spec)
    accepted = parsed.accepted.select(["item_id", "shown"]).to_pylist()
    total = len(accepted) + len(parsed.rejected) + parsed.unused
    assert parsed.read == total  # no record is lost, and none counted twice
    events = [tuple(event.values()) for event in accepted]
    return events, [letter.reason for letter in parsed.rejected], parsed.unused


def test_a_row_without_a_click_is_unused_although_a_parallel_list_has_values():
    rows = [
        {"item_id": "", "shown": "a b", "dwell": "0"},
        {"item_id": "a", "shown": "a b", "dwell": "5"},
        {"item_id": "a b", "shown": "a b", "dwell": "5"},
    ]
    basket = {"separator": " ", "parallel": ["dwell"]}
    assert accept(rows, basket=basket) == ([("a", ["b"])], ["unequal_lists"], 1)


@pytest.mark.parametrize(
    ("value", "reason"),
    [(["a"], "wrong_kind"), ({"id": "a"}, "wrong_kind"), (1.5, "inexact_id")],
)
def test_a_clicked_item_that_is_no_id_is_rejected(value, reason):
    rows = [{"item_id": value, "shown": ["a", "b"]}, {"item_id": "b", "shown": ["a", "b"]}]
    assert accept(rows) == ([("b", ["a"])], [reason], 0)


@pytest.mark.parametrize("value", [[1], {"at": 1}, 0.5])
def test_a_position_that_is_no_number_is_rejected(value):
    rows = [{"item_id": value, "shown": ["a", "b"]}, {"item_id": 1.0, "shown": ["a", "b"]}]
    rule = {"shown": "shown", "clicked": "position"}
    assert accept(rows, impressions=rule) == ([("b", ["a"])], ["bad_impression"], 0)


def test_empty_elements_were_not_shown():
    rows = [{"item_id": "b", "shown": "a,,b,"}, {"item_id": "b", "shown": ["a", None, "b", ""]}]
    rule = {"shown": "shown", "separator": ","}
    assert accept(rows, impressions=rule) == ([("b", ["a"]), ("b", ["a"])], [], 0)
