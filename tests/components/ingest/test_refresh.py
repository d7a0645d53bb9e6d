"""New items and events read in one process, by the rules and with the counts of ingestion."""

import json

import pyarrow as pa
import pytest

from components.ingest import refresh
from schema.dataset import Dataset
from schema.errors import ConfigError, DataRefused, UsageError

ITEMS = pa.array([b"a", b"b"], pa.large_binary())


def dataset(**data):
    described = {
        "data": {
            "interactions": {"path": "old.csv"} | data.pop("interactions", {}),
            "items": {"path": "old.csv", "title": "name"} | data.pop("items", {}),
            "max_rejected_fraction": 0.5,
        }
        | data,
        "features": {"items": {"price": {"kind": "number"}}},
        "labels": {"positive": {"column": "rating", "at_least": 3}},
    }
    return Dataset.model_validate(described)


def write(tmp_path, text):
    path = tmp_path / "new.csv"
    path.write_text(text)
    return str(path)


def letters(folder):
    files = sorted(folder.glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_items_are_sorted_and_the_last_record_of_an_id_is_used(tmp_path):
    path = write(tmp_path, "item_id,name,price\nz,Last,1\na,Old,2\na,New,3\nb,,4\n,C,3\n")
    result = refresh.read_items(dataset(), [path], str(tmp_path / "rejected"))
    assert result.records.select(["item_id", "title", "item_price"]).to_pylist() == [
        {"item_id": "a", "title": "New", "item_price": 3},
        {"item_id": "b", "title": "b", "item_price": 4},
        {"item_id": "z", "title": "Last", "item_price": 1},
    ]
    counted = result.counts.tables["items"]
    assert (counted.read, counted.accepted, counted.rejected, counted.duplicates) == (5, 3, 1, 1)
    (letter,) = letters(tmp_path / "rejected" / "items")
    assert letter["raw"] == ",C,3"
    assert letter["line"] == 6
    assert {letter["reason"]: 1} == counted.rejected_by_reason


def test_a_repeated_id_is_refused_if_configured(tmp_path):
    path = write(tmp_path, "item_id,name,price\na,Old,2\na,New,3\n")
    failing = dataset(items={"duplicates": "fail"})
    with pytest.raises(DataRefused, match="duplicate"):
        refresh.read_items(failing, [path], str(tmp_path / "rejected"))


def test_too_many_rejected_records_are_refused(tmp_path):
    path = write(tmp_path, "item_id,name,price\na,A,2\n,B,3\n,C,4\n")
    with pytest.raises(DataRefused, match="2 of 3"):
        refresh.read_items(dataset(), [path], str(tmp_path / "rejected"))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("item_id,name\na,A\n", ConfigError, "'price'"),
        ("", DataRefused, "empty"),
        ("item_id,name,price\n", DataRefused, "at least one record"),
    ],
)
def test_an_invalid_catalogue_is_refused(tmp_path, text, error, message):
    with pytest.raises(error, match=message):
        refresh.read_items(dataset(), [write(tmp_path, text)], str(tmp_path / "rejected"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="nowhere.csv"):
        refresh.read_items(dataset(), [str(tmp_path / "nowhere.csv")], str(tmp_path / "rejected"))


EVENTS = (
    "user_id,item_id,timestamp,rating\n"
    "u,a,1700000010,5\n"
    "u,a,1700000010,5\n"  # again
    "u,b,1700000020,1\n"  # not positive
    "v,zz,1700000030,5\n"  # of an unknown item
    "v,b,soon,5\n"
)


def test_positive_events_are_returned_without_duplicates(tmp_path):
    path = write(tmp_path, EVENTS)
    result = refresh.read_events(dataset(), [path], str(tmp_path / "rejected"), ITEMS)
    assert result.records.to_pylist() == [
        {"user_id": "u", "item_id": "a", "timestamp": 1_700_000_010},
        {"user_id": "v", "item_id": "zz", "timestamp": 1_700_000_030},
    ]
    counted = result.counts.tables["interactions"]
    assert (counted.read, counted.accepted, counted.rejected, counted.duplicates) == (5, 3, 1, 1)


def test_events_of_unknown_items_are_rejected_if_configured(tmp_path):
    strict = dataset(interactions={"unknown_item": "reject"})
    path = write(tmp_path, EVENTS)
    result = refresh.read_events(strict, [path], str(tmp_path / "rejected"), ITEMS)
    assert result.records.to_pylist() == [
        {"user_id": "u", "item_id": "a", "timestamp": 1_700_000_010}
    ]
    counted = result.counts.tables["interactions"]
    assert (counted.read, counted.accepted, counted.rejected, counted.duplicates) == (5, 2, 2, 1)
    raw = {letter["raw"] for letter in letters(tmp_path / "rejected" / "interactions")}
    assert raw == {"v,zz,1700000030,5", "v,b,soon,5"}


def test_a_log_without_times_is_refused(tmp_path):
    described = dataset().model_dump(mode="json")
    described["data"]["interactions"] |= {"format": "sequences"}
    described["split"] = {"kind": "last_item"}
    described["labels"] = {}
    with pytest.raises(UsageError, match="sequences"):
        refresh.read_events(
            Dataset.model_validate(described), ["log"], str(tmp_path / "rejected"), ITEMS
        )
