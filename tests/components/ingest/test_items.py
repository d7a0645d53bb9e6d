"""The catalogue: every item once, in order, with its features."""

import json

import pyarrow as pa
import pyarrow.parquet as pq

from components.ingest import items
from schema.dataset import Dataset


def dataset(source: dict, features: dict) -> Dataset:
    return Dataset.model_validate(
        {
            "data": {"interactions": {"path": "log"}, "items": source},
            "features": {"items": features},
        }
    )


FEATURES = {
    "genres": {"kind": "set"},
    "price": {"kind": "number"},
    "photo": {"kind": "vector", "size": 2},
}


def test_items_by_hand(lay, ingest_items):
    catalogue = [
        {"item_id": "b", "name": "Old", "genres": "x|y", "price": 3, "photo": [1, 2]},
        {"item_id": "a", "name": None, "genres": [], "price": None},
        {"item_id": "b", "name": "New", "genres": ["z"], "price": "2.5", "photo": [0.5, 1]},
        {"item_id": "c", "name": "C", "photo": [1]},
    ]
    text = "".join(json.dumps(item) + "\n" for item in catalogue)
    source = {"path": "items.jsonl", "format": "jsonl", "title": "name"}
    ingested = ingest_items(dataset(source, FEATURES), lay({"items.jsonl": text}))
    assert ingested.examples("all") == [
        {"item_id": ["a"], "title": ["a"], "item_genres": [], "item_price": [], "item_photo": []},
        {
            "item_id": ["b"],
            "title": ["New"],
            "item_genres": ["z"],
            "item_price": [2.5],
            "item_photo": [0.5, 1.0],
        },
        {"item_id": ["c"], "title": ["C"], "item_genres": [], "item_price": [], "item_photo": []},
    ]
    table = ingested.counts.tables["items"]
    assert (table.read, table.accepted, table.rejected, table.duplicates) == (4, 3, 0, 1)
    assert ingested.counts.totals == {"items": 3}
    assert table.unreadable == {
        "features.items.photo": {
            "values": 1,
            "example": "column 'photo' expects a list of 2 numbers, received [1]",
        }
    }


def test_an_item_without_a_title_is_shown_by_its_id(lay, ingest_items):
    ingested = ingest_items(dataset({"path": "items.csv"}, {}), lay({"items.csv": "item_id\nq\n"}))
    assert ingested.examples("all") == [{"item_id": ["q"], "title": ["q"]}]


def test_ids_are_in_order_over_all_files(lay, ingest_items, monkeypatch):
    monkeypatch.setattr(items, "ITEMS_PER_FILE", 10)
    ids = [f"{n * 37 % 101:03d}" for n in range(101)]
    ingested = ingest_items(
        dataset({"path": "i-*.csv"}, {}),
        lay(
            {
                "i-1.csv": "item_id\n" + "\n".join(ids[:40]),
                "i-2.csv": "item_id\n" + "\n".join(ids[40:]),
            }
        ),
    )
    assert len(list((ingested.root / "examples" / "Split-all").iterdir())) == 11
    assert [example["item_id"] for example in ingested.examples("all")] == [
        [i] for i in sorted(ids)
    ]


def test_a_catalogue_without_an_item_still_has_a_file(lay, ingest_items):
    ingested = ingest_items(dataset({"path": "items.csv"}, {}), lay({"items.csv": "item_id\n"}))
    assert ingested.examples("all") == []
    assert ingested.counts.totals == {"items": 0}


def test_availability_by_hand(lay, ingest_items):
    accepted = [True, False, None, 1, 0, 1.0, 0.0, "TRUE", " false ", "", "1", "0"]
    expected = [1, 0, 1, 1, 0, 1, 0, 1, 0, 1, 1, 0]
    refused = [2, -1, "yes", 0.5, [True], {"a": 1}]
    rows = [{"item_id": f"{n:02d}", "sold": value} for n, value in enumerate(accepted + refused)]
    text = "".join(json.dumps(row) + "\n" for row in [*rows, {"item_id": "zz"}])
    source = {"path": "items.jsonl", "format": "jsonl", "available": "sold"}
    ingested = ingest_items(dataset(source, {}), lay({"items.jsonl": text}))
    assert [example["available"] for example in ingested.examples("all")] == [
        *([value] for value in expected),
        [1],
    ]
    letters = [letter[1:3] for letter in ingested.letters("items")]
    reasons = ["bad_boolean"] * 4 + ["wrong_kind"] * 2
    assert letters == list(zip(range(13, 19), reasons, strict=True))


def test_availability_in_delimited_text_and_parquet(lay, ingest_items):
    csv = "item_id,on\na,True\nb,False\nc,\nd,no\n"
    source = {"path": "items.csv", "available": "on"}
    ingested = ingest_items(dataset(source, {}), lay({"items.csv": csv}))
    assert [e["available"] for e in ingested.examples("all")] == [[1], [0], [1]]
    assert [letter[1:3] for letter in ingested.letters("items")] == [(5, "bad_boolean")]


def test_availability_in_parquet_may_be_boolean_or_a_number(tmp_path, ingest_items):
    for name, values in {"p": [True, False, None], "q": [1.0, 0.0, None]}.items():
        table = pa.table({"item_id": [f"{name}{n}" for n in range(3)], "on": values})
        pq.write_table(table, tmp_path / f"{name}.parquet")
        source = {"path": f"{name}.parquet", "format": "parquet", "available": "on"}
        ingested = ingest_items(dataset(source, {}), str(tmp_path))
        assert [e["available"] for e in ingested.examples("all")] == [[1], [0], [1]]
