"""Parquet: types, row groups, damage, and a comparison with the same rows as JSON lines."""

import datetime
import decimal
import json
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.ingest import preflight
from components.ingest.fields.parser import accept_records, list_source_columns
from components.ingest.fields.table_fields import build_interaction_fields, build_item_fields
from components.ingest.fields.table_spec import FILE, LINE, TableSpec
from components.ingest.read import parquet_file
from components.ingest.read.parquet import list_row_groups, read_row_group
from components.ingest.read.parquet_column import normalize_column
from schema.dataset import Dataset
from schema.errors import ConfigError

T0 = 1_600_000_000


def described(unit: str = "s", **more) -> Dataset:
    source = {"path": "log.parquet", "format": "parquet", "timestamp_unit": unit}
    data = {"interactions": source, "items": {"path": "items.csv"}}
    return Dataset.model_validate({"data": data, **more})


def write(path: pathlib.Path, columns: dict, rows: int = 1024) -> str:
    pq.write_table(pa.table(columns), path, row_group_size=rows)
    return str(path)


def outcome(dataset: Dataset, path: str) -> tuple[int, list[tuple], list[tuple]]:
    """read; accepted (row, user, item, time); rejected (row, row group, reason, raw)."""
    own = build_interaction_fields(dataset)
    spec = TableSpec("interactions", dataset.data.interactions, own, 1, origin=(FILE, LINE))
    read, accepted, rejected = 0, [], []
    for where in list_row_groups(path):
        for lines, records in read_row_group(where, list_source_columns(spec)):
            parsed = accept_records(lines, records, spec)
            read += lines.read
            columns = parsed.accepted.select([LINE, "user_id", "item_id", "moment"])
            accepted += [
                (line, user, item, moment / 10**9)
                for line, user, item, moment in zip(*columns.to_pydict().values(), strict=True)
            ]
            rejected += [(r.line, r.row_group, r.reason, r.raw) for r in parsed.rejected]
    assert read == len(accepted) + len(rejected)
    return read, accepted, rejected


def test_rows_are_numbered_through_row_groups(tmp_path):
    columns = {
        "user_id": ["a", "b", None, "d", "e"],
        "item_id": pa.array([1, 2, 3, 4, 5], pa.int32()),
        "timestamp": [T0, T0 + 1, T0 + 2, 0, T0 + 4],
        "note": pa.array([b"x", b"x", b"x", b"\xff", b"x"]),
    }
    path = write(tmp_path / "log.parquet", columns, rows=2)
    read, accepted, rejected = outcome(described(), path)
    assert read == 5
    assert accepted == [(1, "a", "1", T0), (2, "b", "2", T0 + 1), (5, "e", "5", T0 + 4)]
    assert [(row, group, reason) for row, group, reason, _ in rejected] == [
        (3, 1, "missing_user_id"), (4, 1, "timestamp_out_of_range"),
    ]  # fmt: skip
    assert json.loads(rejected[1][3]) == {
        "user_id": "d", "item_id": 4, "timestamp": 0, "note": "\\xff",
    }  # fmt: skip


def test_large_row_groups_come_in_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_file, "BATCH_ROWS", 3)
    columns = {
        "user_id": [f"u{n}" for n in range(8)],
        "item_id": ["i"] * 8,
        "timestamp": [T0, T0, T0, T0, -1, T0, T0, T0],
    }
    path = write(tmp_path / "log.parquet", columns)
    read, accepted, rejected = outcome(described(), path)
    assert read == 8
    assert [row for row, *_ in accepted] == [1, 2, 3, 4, 6, 7, 8]
    assert rejected == [
        (5, 0, "timestamp_out_of_range", '{"user_id": "u4", "item_id": "i", "timestamp": -1}')
    ]


MOMENT = datetime.datetime(2020, 9, 13, 12, 26, 40, 750_000)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "iso8601"])
@pytest.mark.parametrize(
    ("column", "fraction"),
    [
        (pa.array([MOMENT], pa.timestamp("ms")), 0.75),
        (pa.array([MOMENT], pa.timestamp("us", "UTC")), 0.75),
        (pa.array([MOMENT], pa.timestamp("ns", "UTC")), 0.75),
        # The same moment, shown elsewhere.
        (pa.array([MOMENT], pa.timestamp("us", "Asia/Kolkata")), 0.75),
        (pa.array([MOMENT.replace(microsecond=0)], pa.timestamp("s")), 0.0),
    ],
)
def test_timestamps_have_their_own_unit(tmp_path, unit, column, fraction):
    columns = {"user_id": ["a"], "item_id": ["x"], "timestamp": column}
    _, accepted, _ = outcome(described(unit), write(tmp_path / "log.parquet", columns))
    assert accepted == [(1, "a", "x", T0 + fraction)]


def values(array: pa.Array) -> tuple[list, list]:
    result, bad = normalize_column(array)
    return result if isinstance(result, list) else result.to_pylist(), bad.tolist()


MIDNIGHT = datetime.datetime(2020, 9, 13)


def test_every_type_has_values():
    day = datetime.date(2020, 9, 13)
    assert values(pa.array([day, None])) == ([MIDNIGHT, None], [False, False])
    assert values(pa.array([day], pa.date64())) == ([MIDNIGHT], [False])
    assert values(pa.array([decimal.Decimal("1.50")])) == ([1.5], [False])
    assert values(pa.array(["a", None, "a"]).dictionary_encode())[0] == ["a", None, "a"]
    assert values(pa.array([True, None])) == ([True, None], [False, False])
    assert values(pa.array([{"a": 1}])) == ([{"a": 1}], [False])
    assert values(pa.array([["a", "b"], None])) == ([["a", "b"], None], [False, False])
    assert values(pa.array([b"a", b"\xff", None])) == (["a", None, None], [False, True, False])
    nested = pa.array([[b"a"], [b"\xff"], None])
    lying = pa.ListArray.from_buffers(
        pa.list_(pa.string()), 3, nested.buffers()[:2], children=[build_invalid_text(nested.values)]
    )
    assert values(lying) == ([["a"], None, None], [False, True, False])


def build_invalid_text(array: pa.Array) -> pa.Array:
    """Arbitrary bytes as an Arrow string array."""
    return pa.Array.from_buffers(pa.string(), len(array), array.buffers())


def test_invalid_utf_8_is_rejected_and_shown(tmp_path):
    columns = {
        "user_id": build_invalid_text(pa.array([b"a", b"\xffb"])),
        "item_id": ["x", "y"],
        "timestamp": [T0, T0],
    }
    path = write(tmp_path / "log.parquet", columns)
    _, accepted, rejected = outcome(described(), path)
    assert accepted == [(1, "a", "x", T0)]
    raw = '{"user_id": "\\\\xffb", "item_id": "y", "timestamp": 1600000000}'
    assert rejected == [(2, 0, "invalid_encoding", raw)]


def test_an_invalid_parquet_file_is_one_damaged_record(tmp_path):
    (tmp_path / "log.parquet").write_bytes(b"PAR1 and then nothing of the kind")
    assert outcome(described(), str(tmp_path / "log.parquet")) == (
        1, [], [(1, None, "damaged_file", "")],
    )  # fmt: skip


def test_rows_of_a_damaged_row_group_are_counted(tmp_path):
    columns = {
        "user_id": [f"u{n}" for n in range(6)],
        "item_id": [f"i{n}" for n in range(6)],
        "timestamp": [T0 + n for n in range(6)],
    }
    path = pathlib.Path(write(tmp_path / "log.parquet", columns, rows=2))
    group = pq.ParquetFile(path).metadata.row_group(1)
    start = group.column(0).dictionary_page_offset
    stop = group.column(2).data_page_offset
    raw = bytearray(path.read_bytes())
    raw[start:stop] = b"\xff" * (stop - start)
    path.write_bytes(raw)
    _, accepted, rejected = outcome(described(), str(path))
    assert [row for row, *_ in accepted] == [1, 2, 5, 6]
    assert rejected == [(3, 1, "damaged_file", ""), (4, 1, "damaged_file", "")]


def test_a_rejected_row_is_kept_if_an_unused_column_is_damaged(tmp_path):
    columns = {
        "user_id": ["u", None],
        "item_id": ["i", "j"],
        "timestamp": [T0, T0],
        "z_note": ["some text", "and other text"],
    }
    path = pathlib.Path(write(tmp_path / "log.parquet", columns))
    note = pq.ParquetFile(path).metadata.row_group(0).column(3)
    raw = bytearray(path.read_bytes())
    start = note.dictionary_page_offset
    raw[start : start + note.total_compressed_size] = b"\xff" * note.total_compressed_size
    path.write_bytes(raw)
    _, accepted, rejected = outcome(described(), str(path))
    assert accepted == [(1, "u", "i", T0)]
    assert rejected == [(2, 0, "missing_user_id", "")]


def test_a_missing_file_is_not_reported_as_damaged(tmp_path):
    with pytest.raises(FileNotFoundError):
        parquet_file.read_schema(str(tmp_path / "log.parquet"))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_records_of_truncated_files_are_conserved(tmp_path, data):
    columns = {"user_id": ["a", "b"], "item_id": ["x", "y"], "timestamp": [T0, T0]}
    path = pathlib.Path(write(tmp_path / "log.parquet", columns))
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    read, accepted, _ = outcome(described(), str(path))
    assert (read, accepted) == (1, [])


cells = {
    "user_id": st.one_of(st.none(), st.sampled_from(["u1", "u2", "", "u" * 1030])),
    "item_id": st.one_of(st.none(), st.integers(-3, 3)),
    "timestamp": st.one_of(st.none(), st.sampled_from([T0, T0 + 1, 0, 2**60, -1])),
    "rating": st.one_of(st.none(), st.floats()),
}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.fixed_dictionaries(cells), min_size=1, max_size=12), size=st.integers(1, 5))
def test_rows_of_any_values_are_conserved(tmp_path, rows, size):
    kinds = [pa.string(), pa.int64(), pa.int64(), pa.float64()]
    columns = {
        name: pa.array([row[name] for row in rows], kind)
        for name, kind in zip(cells, kinds, strict=True)
    }
    path = write(tmp_path / "log.parquet", columns, rows=size)
    rule = {"positive": {"column": "rating", "at_least": 1}}
    read, accepted, rejected = outcome(described(labels=rule), path)
    assert read == len(rows)
    for row, user, item, moment in accepted:
        source = rows[row - 1]
        assert (user, item, moment) == (
            source["user_id"], str(source["item_id"]), source["timestamp"],
        )  # fmt: skip
    for row, group, _, raw in rejected:
        assert group == (row - 1) // size
        assert json.loads(raw)["user_id"] == rows[row - 1]["user_id"]


def test_parquet_gives_the_same_result_as_json_lines(lay, ingest_events, ingest_items, tmp_path):
    log = [
        {"user_id": n % 3, "item_id": f"i{n % 4}", "timestamp": T0 + n, "stars": n % 6}
        for n in range(40)
    ]
    log[7]["user_id"] = None
    items = [{"item_id": f"i{n}", "tags": ["a", f"t{n}"], "x": n / 2, "y": 1.0} for n in range(4)]
    folder = lay(
        {
            "log.jsonl": "".join(json.dumps(row) + "\n" for row in log),
            "items.jsonl": "".join(json.dumps(row) + "\n" for row in items),
        }
    )
    for name, rows in (("log", log), ("items", items)):
        table = pa.Table.from_pylist(rows)
        pq.write_table(table, f"{folder}/{name}.parquet", row_group_size=9, compression="zstd")

    def described_as(kind: str) -> Dataset:
        return Dataset.model_validate(
            {
                "data": {
                    "interactions": {"path": f"log.{kind}", "format": kind},
                    "items": {"path": f"items.{kind}", "format": kind},
                },
                "labels": {"ranking": {"stars": {"column": "stars", "kind": "regression"}}},
                "features": {
                    "items": {
                        "tags": {"kind": "set"},
                        "place": {"kind": "vector", "size": 2, "columns": ["x", "y"]},
                    }
                },
            }
        )

    results = {}
    for kind in ("jsonl", "parquet"):
        events = ingest_events(described_as(kind), folder, f"events-{kind}")
        catalogue = ingest_items(described_as(kind), folder, f"items-{kind}")
        results[kind] = (
            [events.examples(split) for split in ("train", "valid", "test")],
            catalogue.examples("all"),
            events.counts,
        )
        assert events.letters("interactions")[0][1:3] == (8, "missing_user_id")
    assert results["parquet"] == results["jsonl"]
    places = [example["item_place"] for example in results["parquet"][1]]
    assert places == [[0.0, 1.0], [0.5, 1.0], [1.0, 1.0], [1.5, 1.0]]
    assert results["parquet"][2].tables["interactions"].read == 40


def test_missing_columns_are_named(tmp_path):
    (tmp_path / "items.csv").write_text("item_id\nx\n")
    write(tmp_path / "log.parquet", {"user_id": ["a"], "item": ["x"], "timestamp": [T0]})
    with pytest.raises(ConfigError, match=r"log\.parquet: data\.interactions\.item_id.*'item_id'"):
        preflight.check(described(), str(tmp_path))
    write(tmp_path / "log.parquet", {"user_id": ["a"], "item_id": ["x"], "timestamp": [T0]})
    preflight.check(described(), str(tmp_path))
    embedded = {"items": {"look": {"kind": "vector", "size": 2, "columns": ["item_id", "v1"]}}}
    with pytest.raises(ConfigError, match=r"features\.items\.look expects column 'v1'"):
        preflight.check(described(features=embedded), str(tmp_path))


def test_long_vectors_are_read_in_one_call(tmp_path):
    chance = np.random.default_rng(1)
    cells = chance.normal(size=(500, 8)).astype(np.float32)
    path = write(tmp_path / "items.parquet", {"item_id": range(500), "look": list(cells)})
    dataset = Dataset.model_validate(
        {
            "data": {
                "interactions": {"path": "x"},
                "items": {"path": "items.parquet", "format": "parquet"},
            },
            "features": {"items": {"look": {"kind": "vector", "size": 8}}},
        }
    )
    spec = TableSpec("items", dataset.data.item_tables[0], build_item_fields(dataset), 1)
    [where] = list_row_groups(path)
    [(lines, records)] = read_row_group(where, list_source_columns(spec))
    look = accept_records(lines, records, spec).accepted["item_look"]
    assert np.array_equal(np.array(look.to_pylist(), np.float32), cells)
