"""A repeated column is refused only if it is read."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.ingest import preflight
from components.ingest.read.objects.json_lines import parse_json_lines
from components.ingest.read.parquet import RowTexts, list_row_groups, read_row_group
from schema.dataset import Dataset
from schema.errors import ConfigError
from schema.sources import Data

ROWS = [["u1", "i1", "1700000000", "x", "y"]]


def dataset(format: str, columns: list[str] | None = None) -> Dataset:
    events = {"path": f"events.{format}", "format": format, "columns": columns}
    return Dataset(data=Data.model_validate({
        "interactions": events,
        "items": {"path": "items.csv"},
    }))  # fmt: skip


@pytest.fixture
def write_log(tmp_path):
    """written(format, names) -> a data folder whose log has these columns."""
    (tmp_path / "items.csv").write_text("item_id,note,note\ni1,a,b\n")

    def write(format: str, names: list[str]) -> str:
        path = tmp_path / f"events.{format}"
        if format == "parquet":
            arrays = [pa.array([row[n] for row in ROWS]) for n in range(len(names))]
            pq.write_table(pa.Table.from_arrays(arrays, names), path)
        else:
            path.write_text("\n".join(",".join(row) for row in [names, *ROWS]) + "\n")
        return str(tmp_path)

    return write


READ_TWICE = ["user_id", "item_id", "timestamp", "item_id", "other"]
UNUSED_TWICE = ["user_id", "item_id", "timestamp", "other", "other"]


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_repeated_column_that_is_read_is_refused(write_log, format):
    with pytest.raises(ConfigError) as refused:
        preflight.check(dataset(format), write_log(format, READ_TWICE))
    assert "data.interactions.item_id expects one column 'item_id'" in str(refused.value)
    assert "'timestamp', 'item_id', 'other'; rename or remove" in str(refused.value)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_repeated_column_that_is_not_read_is_accepted(write_log, format):
    preflight.check(dataset(format), write_log(format, UNUSED_TWICE))


def test_configured_columns_must_not_repeat(write_log):
    data = write_log("csv", UNUSED_TWICE)
    preflight.check(dataset("csv", UNUSED_TWICE), data)
    with pytest.raises(ConfigError, match="expects one column 'item_id'"):
        preflight.check(dataset("csv", READ_TWICE), data)


def test_names_that_differ_in_case_are_different(write_log):
    names = ["user_id", "item_id", "timestamp", "Item_Id", "ITEM_ID"]
    for format in ("csv", "parquet"):
        preflight.check(dataset(format), write_log(format, names))


def test_a_rejected_row_is_shown_completely(write_log):
    """Its text has every column, including repeated ones."""
    path = f"{write_log('parquet', UNUSED_TWICE)}/events.parquet"
    (where,) = list_row_groups(path)
    (batch,) = read_row_group(where, {"user_id"})
    assert list(map(str, batch[1].columns["user_id"])) == ["u1"]
    shown = json.loads(RowTexts(path, 0, 0, 1)[0])
    assert shown == {"user_id": "u1", "item_id": "i1", "timestamp": "1700000000", "other": "y"}


def test_a_repeated_key_in_a_json_object_is_rejected():
    lines = [
        '{"a": 1, "b": 2}',
        '{"a": 1, "a": 2}',
        '{"a": 1, "c": 2, "c": 3}',
        '{"a": {"b": 1, "b": 2}, "b": 4}',
        '{"a": "b", "c": "a", "x": {"a": 1}, "b": "a"}',
        '{"b": 1, "a": [{"a": 1}], "b": 1}',
        '{"a": 1, "A": 2}',
    ]
    result = parse_json_lines(lines, ["a", "b"])
    assert {n: fault.reason for n, fault in result.faults.items()} == {
        1: "repeated_key",
        5: "repeated_key",
    }
    assert result.index.tolist() == [0, 2, 3, 4, 6]
    assert result.columns["b"] == [2, None, 4, "a", None]
