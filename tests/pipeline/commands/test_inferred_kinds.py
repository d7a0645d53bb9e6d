"""`tandem schema infer` on tables of every shape, and the gate's schema with what it wrote."""

import json

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline import cli
from pipeline.config.config import TABLES, load_config
from pipeline.config.table_schemas import build_table_schema

EVENTS = 400
NESTED = """
name = "shop"
[[data.interactions]]
path = "views.jsonl"
format = "jsonl"
user_id = "who.id"
item_id = "items[0].sku"
timestamp = "at"
timestamp_unit = "iso8601"
constants = { kind = "view" }
[[data.interactions]]
path = "buys.csv"
timestamp_format = "%d.%m.%Y %H:%M"
constants = { kind = "purchase" }
[[data.items]]
path = "items.jsonl"
format = "jsonl"
[[data.items]]
path = "properties.csv"
[data.items.properties]
[labels.events]
column = "kind"
positive = { view = 1, purchase = 5 }
[features.items]
genres = { kind = "set" }
cover = { kind = "vector", size = 2 }
colour = { kind = "category" }
[features.context]
device = { kind = "category" }
kind = { kind = "category" }
"""
PAIRS = """
name = "pairs"
[[data.interactions]]
path = "train.txt"
format = "lists"
split = "train"
[[data.interactions]]
path = "test.txt"
format = "lists"
split = "test"
[split]
kind = "files"
"""


def read_features(folder, config_text):
    """The inferred features by table and name, after the gate's schema has been built with them."""
    config = folder / "shop.toml"
    config.write_text(config_text)
    infer = ["schema", "infer", "--config", str(config), "--data", str(folder), "--out"]
    assert cli.main([*infer, str(folder)]) == 0
    name = load_config(config).name
    files = "".join(f'{table} = "{name}.{table}.pbtxt"\n' for table in TABLES)
    config.write_text(f"{config_text}[curated]\n{files}")
    found = {}
    for table in TABLES:
        text = (folder / f"{name}.{table}.pbtxt").read_text()
        schema = text_format.Parse(text, schema_pb2.Schema())
        built = {f.name: f for f in build_table_schema(load_config(config), table).feature}
        found |= {feature.name: feature for feature in schema.feature}
        assert all(built[feature.name] == feature for feature in schema.feature)
    return found


@pytest.fixture(scope="module")
def nested(tmp_path_factory):
    """Views in JSON and purchases in CSV; items with a list, a vector, and a long table."""
    folder = tmp_path_factory.mktemp("nested")
    views = [
        {"who": {"id": f"u{n % 20}"}, "items": [{"sku": f"i{n * 7 % 50}"}],
         "at": f"2024-01-{1 + n % 28:02} 12:{n % 60:02}", "device": ("phone", "tablet")[n % 2]}
        for n in range(EVENTS)
    ]  # fmt: skip
    (folder / "views.jsonl").write_text("".join(f"{json.dumps(view)}\n" for view in views))
    buys = [f"u{n % 20},i{n % 50},{1 + n % 28:02}.01.2024 18:00\n" for n in range(100)]
    (folder / "buys.csv").write_text("user_id,item_id,timestamp\n" + "".join(buys))
    items = [
        {"item_id": f"i{n}", "genres": ["new", "old"][: 1 + n % 2], "cover": [n / 50, 1.0]}
        for n in range(50)
    ]
    (folder / "items.jsonl").write_text("".join(f"{json.dumps(item)}\n" for item in items))
    rows = [f"i{n},1600000000,colour,{('red', 'blue')[n % 2]}\n" for n in range(50)]
    (folder / "properties.csv").write_text("item_id,timestamp,property,value\n" + "".join(rows))
    return read_features(folder, NESTED)


def test_nested_columns_lists_and_properties_have_rules(nested):
    assert nested["context_device"].drift_comparator.HasField("infinity_norm")
    assert nested["context_kind"].domain == "context_kind"
    assert nested["item_colour"].presence.min_fraction == 1
    assert (nested["item_genres"].value_count.min, nested["item_genres"].value_count.max) == (1, 4)
    assert nested["item_cover"].value_count.min == 2
    assert nested["item_cover"].float_domain.disallow_nan
    assert nested["weight"].float_domain.min >= 0


def test_pairs_without_times_have_rules(tmp_path):
    train = "".join(f"{n} {' '.join(str((n * 3 + k) % 30) for k in range(8))}\n" for n in range(40))
    test = "".join(f"{n} {(n * 3 + 9) % 30}\n" for n in range(40))
    (tmp_path / "train.txt").write_text(train)
    (tmp_path / "test.txt").write_text(test)
    found = read_features(tmp_path, PAIRS)
    assert found["item_ids"].drift_comparator.HasField("infinity_norm")
    assert found["title"].presence.min_fraction == 1
    assert "timestamps" not in found
