"""A number has the same text in every type and format; an inexact number has none."""

import math
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest import items
from components.ingest.fields.converted import ConvertedColumn
from components.ingest.fields.ids import convert_ids
from components.ingest.fields.kinds import convert_feature
from components.ingest.read.number_text import format_numbers, format_objects
from components.ingest.read_table import read_in_process
from schema import features
from schema.dataset import Dataset


def outcomes(converted: ConvertedColumn) -> list:
    """The value, or the reason for its rejection."""
    values: list = converted.array.to_pylist()
    for reason, refused in reversed(converted.faults):
        values = [reason if no else value for no, value in zip(refused, values, strict=True)]
    return values


def ids(values) -> list:
    return outcomes(convert_ids(values, missing="missing_item_id"))


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (pa.uint64(), [2**64 - 1, 0], ["18446744073709551615", "0"]),
        (pa.int64(), [-(2**63), 9007199254740993], ["-9223372036854775808", "9007199254740993"]),
        (pa.int8(), [-8, 8], ["-8", "8"]),
        (pa.float64(), [21000000000.0, -8.0, -0.0], ["21000000000", "-8", "0"]),
        (pa.float64(), [2.0**53 - 1, 2.0**53], ["9007199254740991", "inexact_id"]),
        (pa.float64(), [-(2.0**53), 1e300], ["inexact_id", "inexact_id"]),
        (pa.float64(), [8.5, 1e-300], ["inexact_id", "inexact_id"]),
        (pa.float64(), [math.nan, -math.inf], ["inexact_id", "inexact_id"]),
        (pa.float32(), [2.0**24 - 1, 2.0**24], ["16777215", "inexact_id"]),
        (pa.decimal128(20, 0), [Decimal(9007199254740993), None],
         ["9007199254740993", "missing_item_id"]),
        (pa.decimal128(38, 3), [Decimal("21000000000.000"), Decimal("8.001")],
         ["21000000000", "inexact_id"]),
        (pa.decimal128(5, 5), [Decimal("0.00000"), Decimal("-0.00001")], ["0", "inexact_id"]),
        (pa.decimal256(76, 0), [Decimal(10**75 + 1), None], [str(10**75 + 1), "missing_item_id"]),
        (pa.decimal256(60, 20), [Decimal(10**30), Decimal(-7)], [str(10**30), "-7"]),
    ],
)  # fmt: skip
def test_ids_in_typed_columns(kind, values, expected):
    assert ids(pa.array(values, kind)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([9007199254740992, 9007199254740993], ["9007199254740992", "9007199254740993"]),
        ([2**64, -(10**40)], [str(2**64), str(-(10**40))]),
        ([8.0, 1e3, "8", None], ["8", "1000", "8", "missing_item_id"]),
        ([9007199254740992.0, 8.5, math.nan], ["inexact_id"] * 3),
        ([True, 1], ["wrong_kind", "1"]),
    ],
)
def test_ids_in_json(values, expected):
    assert ids(values) == expected


@given(st.integers(-(10**60), 10**60))
def test_adjacent_floats_never_have_the_same_text(number):
    near = [number, number + 1]
    assert ids(near) == list(map(str, near))
    assert ids(pa.array(map(Decimal, near), pa.decimal256(76, 2))) == list(map(str, near))


@given(st.floats(width=32))
def test_a_float_has_the_same_text_in_json_and_parquet(number):
    single = format_numbers(pa.array([number], pa.float32())).text.to_pylist()
    double = format_numbers(pa.array([number], pa.float64()))
    assert double.text.to_pylist() == format_objects([number]).text.to_pylist()
    assert double.text.null_count or float(double.text[0].as_py()) == number
    if abs(number) < 2**24:
        assert pa.scalar(float(single[0]), pa.float32()).as_py() == number


def test_categories_and_sets_format_numbers_alike():
    category = features.Category(kind="category")
    floats = [8.0, 0.1, 1e-7, 21000000000.5, None]
    texts = ["8", "0.1", "0.0000001", "21000000000.5", None]
    assert outcomes(convert_feature(floats, category)) == texts
    assert outcomes(convert_feature(pa.array(floats), category)) == texts
    single = pa.array([0.1, 8.0, None], pa.float32())
    assert outcomes(convert_feature(single, category)) == ["0.1", "8", None]
    assert outcomes(convert_feature(pa.array([Decimal("8.50")]), category)) == ["8.5"]
    tags = features.Set(kind="set", separator=".")
    rows = [[8.0, 0.5], [], None, [None, 2.0], [1.0, math.nan]]
    sets = [["8", "0.5"], [], None, ["2"], "wrong_kind"]
    assert outcomes(convert_feature(rows, tags)) == sets
    in_arrow = pa.array([[9.0], *rows], pa.list_(pa.float32())).slice(1)
    assert outcomes(convert_feature(in_arrow, tags)) == sets
    alone = pa.array([8.0, 0.5, None, math.nan])
    assert outcomes(convert_feature(alone, tags)) == [["8"], ["0.5"], None, "wrong_kind"]


@pytest.mark.parametrize("kind", [pa.float64(), pa.decimal128(21, 2), pa.int32(), pa.uint16()])
def test_one_catalogue_in_three_formats(tmp_path, kind):
    (tmp_path / "items.csv").write_text("item_id\n8\n1000\n")
    (tmp_path / "items.jsonl").write_text('{"item_id": 8.0}\n{"item_id": 1e3}\n')
    column = pa.array([8, 1000], pa.int64()).cast(kind).dictionary_encode()
    pq.write_table(pa.table({"item_id": column}), tmp_path / "items.parquet")
    for format_ in ("csv", "jsonl", "parquet"):
        source = {"path": f"items.{format_}", "format": format_}
        data = {"interactions": {"path": "log"}, "items": source}
        [(spec, paths)] = items.build_specs(Dataset.model_validate({"data": data}), str(tmp_path))
        read = read_in_process(spec, paths, str(tmp_path))
        assert read.records["item_id"].to_pylist() == ["8", "1000"]
