"""Long tables of items, as of a point in time: one row per item, property and time."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.ingest import preflight, refresh
from components.ingest.fields.item_properties import prune_properties
from components.ingest.output import acceptance
from schema.dataset import Dataset
from schema.errors import ConfigError, DataRefused

# As published by RetailRocket: milliseconds, hashed names of properties, two parts.
CUT = 1_435_000_000
LONG = {
    "path": "item_properties_part*.csv",
    "item_id": "itemid",
    "available": "available",
    "properties": {"timestamp_unit": "ms"},
}
PARTS = {
    "item_properties_part1.csv": "timestamp,itemid,property,value\n"
    f"{CUT - 900}000,460429,categoryid,1338\n"
    f"{CUT - 800}000,206783,888,1116713 960601 n277.200\n"
    f"{CUT - 500}000,460429,categoryid,1400\n"
    f"{CUT}000,460429,categoryid,9999\n"
    f"{CUT - 300}000,395014,categoryid,7\n",
    "item_properties_part2.csv": "timestamp,itemid,property,value\n"
    f"{CUT - 700}000,460429,categoryid,1200\n"
    f"{CUT - 1}999,395014,available,0\n"
    f"{CUT + 50}000,395014,available,1\n"
    f"soon,395014,available,1\n"
    f"{CUT - 300}000,555,790,n32880.000\n",
}


def described(*items, **sections):
    return Dataset.model_validate(
        {
            "data": {
                "interactions": {"path": "events.csv"},
                "items": list(items or [LONG]),
                "max_rejected_fraction": 0.2,
            },
            "features": {
                "items": {
                    "category": {"kind": "category", "column": "categoryid"},
                    "words": {"kind": "set", "column": "888", "separator": " "},
                }
            },
        }
        | sections
    )


def rows(ingested):
    return [
        (row["item_id"][0], row["item_category"], row["available"][0], row["item_words"])
        for row in ingested.examples("all")
    ]


def test_the_latest_values_before_the_test_split_are_used(ingest_items, lay):
    ingested = ingest_items(described(), lay(PARTS), test_cut=CUT)
    assert rows(ingested) == [
        ("206783", [], 1, ["1116713", "960601", "n277.200"]),
        ("395014", ["7"], 0, []),
        ("460429", ["1400"], 1, []),
        ("555", [], 1, []),
    ]
    counted = ingested.counts.tables["items"]
    # Four values are used: 1338 and 1200 were replaced; values from the cut on, and of property
    # 790, are unused.
    assert (counted.read, counted.accepted, counted.duplicates) == (10, 4, 2)
    assert (counted.unused, counted.rejected_by_reason) == (3, {"bad_timestamp": 1})
    acceptance.check(ingested.counts, described().data, "rejected")


def test_as_of_takes_precedence_over_the_test_split(ingest_items, lay):
    early = {"timestamp_unit": "ms", "as_of": "2015-06-22T18:56:40Z"}  # 1434999400
    ingested = ingest_items(described(LONG | {"properties": early}), lay(PARTS), test_cut=CUT)
    assert {item: category for item, category, *_ in rows(ingested)}["460429"] == ["1200"]


def test_properties_add_to_a_catalogue_and_other_items_are_unused(ingest_items, lay):
    first = {"path": "items.csv", "title": "name"}
    files = PARTS | {"items.csv": "item_id,name,categoryid\n460429,Lamp,5\n206783,Desk,\n"}
    dataset = described(first, LONG)
    folder = lay(files)
    preflight.check_kind(dataset, "items", folder)
    ingested = ingest_items(dataset, folder, test_cut=CUT)
    assert rows(ingested) == [
        ("206783", [], 1, ["1116713", "960601", "n277.200"]),
        ("460429", ["5"], 1, []),
    ]
    counted = ingested.counts.tables["items.1"]
    assert counted.read == 10
    assert (counted.accepted, counted.duplicates, counted.unused, counted.rejected) == (2, 2, 5, 1)


def test_a_feature_without_any_value_is_refused(ingest_items, lay):
    features = {"items": {"category": {"kind": "category", "column": "categorie"}}}
    ingested = ingest_items(described(features=features), lay(PARTS), test_cut=CUT)
    with pytest.raises(DataRefused, match=r"features\.items\.category .* no item has a value"):
        acceptance.check(ingested.counts, described().data, "rejected")


def test_a_refresh_reads_the_latest_values(lay, tmp_path):
    folder = lay(PARTS)
    result = refresh.read_items(described(), [f"{folder}/item_*.csv"], str(tmp_path / "rejected"))
    values = {row["item_id"]: row for row in result.records.to_pylist()}
    assert values["460429"]["item_category"] == "9999"
    assert values["395014"]["available"] == 1


def test_a_split_without_a_time_expects_as_of():
    with pytest.raises(ValidationError, match='properties expects as_of with split.kind = "last_'):
        described(split={"kind": "last_item"})
    as_of = {"timestamp_unit": "ms", "as_of": "2015-06-22T00:00:00Z"}
    assert described(LONG | {"properties": as_of}, split={"kind": "last_item"})


def test_a_missing_column_of_a_long_table_is_named_by_its_key(lay):
    wrong = LONG | {"properties": {"property": "name"}}
    with pytest.raises(ConfigError, match=r"data.items.properties.property expects column 'name'"):
        preflight.check_kind(described(wrong), "items", lay(PARTS))


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["x", "y", "z"])), max_size=12))
def test_pruning_keeps_declared_properties_and_every_item(pairs):
    columns = {"item_id": [i for i, _ in pairs], "property": [p for _, p in pairs]}
    kind = pa.large_string()
    table = pa.table({name: pa.array(values, kind) for name, values in columns.items()})
    remaining = prune_properties(table, frozenset({"x", "y"})).to_pylist()
    kept_pairs = [(row["item_id"], row["property"]) for row in remaining]
    assert [pair for pair in kept_pairs if pair[1] != "z"] == [p for p in pairs if p[1] != "z"]
    declared = {item for item, name in pairs if name != "z"}
    bare = [item for item, name in kept_pairs if name == "z"]
    assert sorted(bare) == sorted({item for item, _ in pairs} - declared)
