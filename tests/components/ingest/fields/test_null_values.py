"""Which texts count as missing, in columns of which contents."""

import pyarrow as pa
import pytest

from components.ingest.fields.null_values import replace_nulls
from components.ingest.fields.parser import accept_records
from components.ingest.fields.table_fields import build_interaction_fields
from components.ingest.fields.table_spec import TableSpec
from components.ingest.read.lines import Lines
from components.ingest.read.records import Records
from schema.dataset import Dataset

T0 = 1_600_000_000
NAMES = ("user_id", "item_id", "timestamp", "stars", "country")


def accept(rows: list[tuple], as_objects: bool, **keys) -> tuple[list, list]:
    """(user, item, stars, country) of accepted records, and the reasons of rejected ones."""
    source = {"path": "x", **keys}
    dataset = Dataset.model_validate(
        {
            "data": {"interactions": source, "items": {"path": "y"}},
            "labels": {"ranking": {"stars": {"column": "stars", "kind": "regression"}}},
            "features": {"context": {"country": {"kind": "category"}}},
        }
    )
    columns = {
        name: list(column) if as_objects else pa.array(column, pa.large_string())
        for name, column in zip(NAMES, zip(*rows, strict=True), strict=True)
    }
    index = list(range(len(rows)))
    numbers = pa.array(index).to_numpy()
    spec = TableSpec(
        "interactions", dataset.data.interactions, build_interaction_fields(dataset), 1
    )
    parsed = accept_records(
        Lines("x", ["raw"] * len(rows), numbers, []), Records(columns, numbers, {}), spec
    )
    fields = ["user_id", "item_id", "label_stars", "context_country"]
    accepted = [tuple(row.values()) for row in parsed.accepted.select(fields).to_pylist()]
    assert not parsed.unreadable
    return accepted, [letter.reason for letter in parsed.rejected]


@pytest.mark.parametrize("as_objects", [False, True])
def test_by_default_words_are_missing_if_they_cannot_be_values(as_objects):
    rows = [
        ("NA", "None", f"{T0}", "NULL", "NA"),
        ("null", "NaN", f"{T0}", "<NA>", "\\N"),
        ("\\N", "i", f"{T0}", "4", "DE"),
        ("u", "i", "NULL", "4", "DE"),
        ("u", "\\n", f"{T0}", "\\N", "\\N x"),
    ]
    assert accept(rows, as_objects) == (
        [("NA", "None", None, "NA"), ("null", "NaN", None, None), ("u", "\\n", None, "\\N x")],
        ["missing_user_id", "bad_timestamp"],
    )


@pytest.mark.parametrize("as_objects", [False, True])
def test_the_key_holds_for_all_columns_and_replaces_the_default(as_objects):
    rows = [
        ("-", "i", f"{T0}", "4", "DE"),
        ("u", "-", f"{T0}", "4", "DE"),
        ("u", "i", f"{T0}", "-1", "-"),
        ("\\N", "i", f"{T0}", "-1.0", "--"),
    ]
    assert accept(rows, as_objects, null_values=["-", "-1"]) == (
        [("u", "i", None, None), ("\\N", "i", -1.0, "--")],
        ["missing_user_id", "missing_item_id"],
    )


def test_what_is_not_text_stays():
    values = [["NULL"], {"NULL": "NULL"}, 1, True, None, "NULL", "null"]
    assert replace_nulls(values, ("NULL",)) == [*values[:5], None, "null"]
    numbers = pa.array([1, 2])
    assert replace_nulls(numbers, ("1",)) is numbers


@pytest.mark.parametrize("nulls", [("b",), ("b", "zz"), ("é",), ("b", "é")])
def test_part_of_a_column(nulls):
    column = pa.array(["a", "b", "é", None, "bb", "a"], pa.large_string()).slice(1, 4)
    expected = [None if text in nulls else text for text in column.to_pylist()]
    assert pa.table({"x": replace_nulls(column, nulls)})["x"].to_pylist() == expected


def test_a_column_without_them_is_not_copied():
    column = pa.array(["12", "3.5", None, ""], pa.large_string())
    assert replace_nulls(column, ("\\N", "NULL", "nan")) is column
    empty = pa.array([None, None], pa.large_string())
    assert replace_nulls(empty, ("NULL", "NA")) is empty
