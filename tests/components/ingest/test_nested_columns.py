"""Tables whose ids, times and features are nested, in each format, read as a whole."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.ingest import preflight
from components.ingest.fields.table_fields import build_interaction_fields, build_item_fields
from components.ingest.fields.table_spec import TableSpec
from components.ingest.read import blocks
from components.ingest.read_table import TableRecords, read_in_process
from schema.dataset import Dataset
from schema.errors import ConfigError

NEW_YEAR = 1_704_067_200  # 2024-01-01T00:00:00Z


def describe(interactions: dict, catalogue: dict | None = None, **features) -> Dataset:
    data = {"interactions": interactions, "items": catalogue or {"path": "items.csv"}}
    return Dataset.model_validate({"data": data, "features": features})


@pytest.fixture
def read(tmp_path):
    """read(dataset, table) runs the preflight and reads the table's files below tmp_path."""

    def run(dataset: Dataset, table: str = "interactions") -> TableRecords:
        preflight.check_kind(dataset, table, str(tmp_path))
        (source,) = dataset.data.get_tables(table)
        build = build_item_fields if table == "items" else build_interaction_fields
        spec = TableSpec(table, source, build(dataset), 1)
        letters = tmp_path / "rejected"
        letters.mkdir(exist_ok=True)
        files = [p for p in tmp_path.glob(source.path) if p.is_file()]
        folder = [p for p in tmp_path.glob(source.path) if p.is_dir()]
        files += [p for each in folder for p in each.rglob("*.*")]
        return read_in_process(spec, sorted(map(str, files)), str(letters))

    return run


def list_events(read: TableRecords) -> list[tuple]:
    columns = ["user_id", "item_id", "moment", "context_device"]
    names = [name for name in columns if name in read.records.column_names]
    rows = read.records.select(names).to_pylist()
    return [(*row.values(),) for row in rows]


EVENTS = [
    {
        "user": {"id": {"$oid": f"a{n}"}, "agent": {"device": "phone"}},
        "products": [{"sku": {"$numberLong": str(n)}}, {"sku": {"$numberLong": "99"}}],
        "at": {"$date": {"$numberLong": str((NEW_YEAR + n) * 1000)}},
    }
    for n in range(3)
]
NESTED = {"user_id": "user.id", "item_id": "products[0].sku", "timestamp": "at"}
DEVICE = {"context": {"device": {"kind": "category", "column": "user.agent.device"}}}


def test_an_exported_mongodb_collection_is_read_by_paths(tmp_path, read):
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, EVENTS)))
    result = read(describe({"path": "log.jsonl", "format": "jsonl", **NESTED}, **DEVICE))
    assert list_events(result) == [
        (f"a{n}", str(n), (NEW_YEAR + n) * 10**9, "phone") for n in range(3)
    ]


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_of_objects_is_read_in_blocks(tmp_path, read, monkeypatch, indent):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 200)
    rows = [{"user_id": n, "item_id": 1, "timestamp": NEW_YEAR + n} for n in range(40)]
    rows[3]["timestamp"] = rows[38]["timestamp"] = 0
    (tmp_path / "log.json").write_text(json.dumps(rows, indent=indent))
    result = read(describe({"path": "log.json", "format": "json"}))
    assert result.records.num_rows == 38
    letters = [
        json.loads(line)
        for path in (tmp_path / "rejected").iterdir()
        for line in path.read_text().splitlines()
    ]
    # Each object has five lines, after that of the bracket.
    lines = [1, 1] if indent is None else [2 + 5 * 3, 2 + 5 * 38]
    assert sorted(letter["line"] for letter in letters) == lines
    assert sorted(json.loads(letter["raw"])["user_id"] for letter in letters) == [3, 38]


def test_lines_of_python_dicts_are_read(tmp_path, read):
    row = f"{{u'user': {{'id': u'a'}}, 'item_id': '7', 'timestamp': {NEW_YEAR}, 'device': None}}"
    (tmp_path / "log.txt").write_text(f"{row}\n{{'user': \n")
    source = {"path": "log.txt", "format": "python", "user_id": "user.id"}
    result = read(describe(source, context={"device": {"kind": "category"}}))
    assert list_events(result) == [("a", "7", NEW_YEAR * 10**9, None)]
    assert result.tallies["interactions/rejected/broken_python"] == 1


def test_structs_and_lists_of_structs_in_parquet_are_read_by_the_same_paths(tmp_path, read):
    rows = [
        {
            "user": {"id": n, "agent": {"device": "phone", "version": 3}},
            "products": [{"sku": f"i{n}"}, {"sku": "other"}],
            "at": NEW_YEAR + n,
        }
        for n in range(3)
    ]
    table = pa.Table.from_pylist([*rows, {"user": None, "products": None, "at": NEW_YEAR}])
    pq.write_table(table, tmp_path / "log.parquet")
    result = read(describe({"path": "log.parquet", "format": "parquet", **NESTED}, **DEVICE))
    assert list_events(result) == [
        (str(n), f"i{n}", (NEW_YEAR + n) * 10**9, "phone") for n in range(3)
    ]
    assert result.tallies["interactions/rejected/missing_user_id"] == 1


def test_objects_in_a_cell_of_delimited_text_are_read_by_paths(tmp_path, read):
    (tmp_path / "items.csv").write_text(
        "item_id,genres\n1,\"[{'id': 16, 'name': 'Animation'}, {'id': 3, 'name': 'Family'}]\"\n"
        '2,"[]"\n3,\n'
    )
    genres = {"kind": "set", "column": "genres[].name"}
    result = read(describe({"path": "x"}, items={"genres": genres}), "items")
    assert result.records["item_genres"].to_pylist() == [["Animation", "Family"], [], None]


def test_lists_in_strings_are_sets_and_vectors(tmp_path, read):
    rows = [
        {"item_id": 1, "tags": "['a', 'b']", "embedding": "[0.5 1.5]", "price": "4.5"},
        {"item_id": 2, "tags": '["a"]', "embedding": "[1, 2]", "price": float("nan")},
        {"item_id": 3, "tags": "a|b", "embedding": "", "price": float("inf")},
    ]
    (tmp_path / "items.jsonl").write_text("\n".join(map(json.dumps, rows)))
    features = {
        "tags": {"kind": "set"},
        "embedding": {"kind": "vector", "size": 2},
        "price": {"kind": "number"},
    }
    items = {"path": "items.jsonl", "format": "jsonl"}
    result = read(describe({"path": "x"}, items, items=features), "items")
    assert result.records["item_tags"].to_pylist() == [["a", "b"], ["a"], ["a", "b"]]
    assert result.records["item_embedding"].to_pylist() == [[0.5, 1.5], [1.0, 2.0], None]
    assert result.records["item_price"].to_pylist() == [4.5, None, None]
    unreadable = [n for key, n in result.tallies.items() if "features.items" in key]
    assert sum(unreadable) == 1  # Infinity; NaN is missing


def test_keys_of_folders_are_columns(tmp_path, read):
    for kind, day in (("buy", "2024-01-01"), ("view", "2024-01-02")):
        folder = tmp_path / "log" / f"kind={kind}" / f"date={day}"
        folder.mkdir(parents=True)
        rows = [{"user_id": f"u-{kind}", "item_id": 1, "timestamp": NEW_YEAR}]
        pq.write_table(pa.Table.from_pylist(rows), folder / "part-0.parquet")
    source = {"path": "log", "format": "parquet"}
    context = {"device": {"kind": "category", "column": "kind"}}
    result = read(describe(source, context=context))
    moment = NEW_YEAR * 10**9
    assert list_events(result) == [("u-buy", "1", moment, "buy"), ("u-view", "1", moment, "view")]


def test_keys_of_folders_are_columns_of_text_too(tmp_path, read):
    folder = tmp_path / "log" / "day=a%2Fb"
    folder.mkdir(parents=True)
    header = "user_id,item_id,timestamp\n"
    (folder / "part.csv").write_text(f"{header}u,i,{NEW_YEAR}\n{header}")
    context = {"device": {"kind": "category", "column": "day"}}
    result = read(describe({"path": "log"}, context=context))
    assert list_events(result) == [("u", "i", NEW_YEAR * 10**9, "a/b")]
    assert result.tallies["interactions/rejected/header_line"] == 1


def test_an_optional_column_of_another_parquet_file_is_null(tmp_path, read):
    rows: dict[str, Any] = {"user_id": [1], "item_id": [1], "timestamp": [NEW_YEAR]}
    pq.write_table(pa.table({**rows, "device": ["phone"]}), tmp_path / "log-1.parquet")
    rows["user_id"] = pa.array([2], pa.int32())
    pq.write_table(pa.table(rows), tmp_path / "log-2.parquet")
    rows["user_id"] = ["3"]
    pq.write_table(pa.table({**rows, "device": [7]}), tmp_path / "log-3.parquet")
    context = {"device": {"kind": "category"}}
    result = read(describe({"path": "log-*.parquet", "format": "parquet"}, context=context))
    moment = NEW_YEAR * 10**9
    assert list_events(result) == [
        ("1", "1", moment, "phone"), ("2", "1", moment, None), ("3", "1", moment, "7")
    ]  # fmt: skip


def test_a_required_column_must_be_in_every_parquet_file(tmp_path, read):
    rows = {"user_id": [1], "item_id": [1], "timestamp": [NEW_YEAR]}
    pq.write_table(pa.table(rows), tmp_path / "log-1.parquet")
    del rows["item_id"]
    pq.write_table(pa.table(rows), tmp_path / "log-2.parquet")
    with pytest.raises(ConfigError, match=r"log-2\.parquet.*item_id"):
        read(describe({"path": "log-*.parquet", "format": "parquet"}))


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_a_path_to_nothing_is_reported_before_the_run(tmp_path, read, format_):
    rows = [{"user": {"id": 1}, "item_id": 1, "timestamp": NEW_YEAR}]
    (tmp_path / "log.jsonl").write_text(json.dumps(rows[0]))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "log.parquet")
    source = {"path": f"log.{format_}", "format": format_, "user_id": "user.key"}
    with pytest.raises(ConfigError, match=r"user_id expects column 'user\.key'"):
        read(describe(source))


def test_uuids_decimals_and_dictionaries_are_ids(tmp_path, read):
    raw = bytes(range(16))
    columns = {
        "user_id": pa.array([raw], pa.binary(16)),
        "item_id": pa.array([8], pa.decimal128(20, 0)),
        "timestamp": [NEW_YEAR],
        "device": pa.array(["phone"]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    context = {"device": {"kind": "category"}}
    result = read(describe({"path": "log.parquet", "format": "parquet"}, context=context))
    uuid = "00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert list_events(result) == [(uuid, "8", NEW_YEAR * 10**9, "phone")]
