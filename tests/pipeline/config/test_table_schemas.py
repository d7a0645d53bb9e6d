import pathlib

import pytest

from pipeline.config.config import TABLES, load_config
from pipeline.config.table_schemas import build_table_schema, derive_table_schema
from schema.errors import ConfigError
from serving.index.eligibility import read_deny_list

CONFIGS = pathlib.Path(__file__).resolve().parents[3] / "configs"
SHOP = """
name = "shop"
[data.interactions]
path = "events.csv"
[data.items]
path = "items.csv"
"""
CURATED = """
[curated]
items = "schemas/items.pbtxt"
"""
CLOSED = """
feature { name: "title" type: BYTES domain: "titles" }
string_domain { name: "titles" value: "one" }
"""


def load(folder, text):
    path = folder / "shop.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_a_curated_file_is_relative_to_the_configuration(tmp_path, monkeypatch):
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "items.pbtxt").write_text(CLOSED, encoding="utf-8")
    config = load(tmp_path, SHOP + CURATED)
    monkeypatch.chdir("/")
    title = {f.name: f for f in build_table_schema(config, "items").feature}["title"]
    assert title.domain == "titles"


def test_a_missing_curated_file_is_named(tmp_path):
    config = load(tmp_path, SHOP + CURATED)
    with pytest.raises(ConfigError, match=r"schemas/items\.pbtxt.*fix \[curated\]"):
        build_table_schema(config, "items")


def test_a_deny_list_is_relative_to_the_configuration(tmp_path, monkeypatch):
    (tmp_path / "denied.txt").write_text("i1\n", encoding="utf-8")
    config = load(tmp_path, SHOP + '[index]\ndeny_list = "denied.txt"\n')
    monkeypatch.chdir("/")
    assert read_deny_list(config.index.deny_list) == "i1\n"
    assert load(tmp_path, SHOP).index.deny_list is None


def test_the_schema_of_a_shipped_data_set_is_named(tmp_path):
    config = load(tmp_path, SHOP + '[curated]\nshipped = "movietweetings"\n')
    title = {f.name: f for f in derive_table_schema(config, "items").feature}["title"]
    assert not title.presence.min_fraction
    with pytest.raises(ConfigError, match="movietweetings"):  # without genres, which the file has
        build_table_schema(config, "items")


def test_a_users_file_overrides_the_shipped_one(tmp_path):
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "items.pbtxt").write_text(CLOSED, encoding="utf-8")
    config = load(tmp_path, SHOP + CURATED + 'shipped = "movietweetings"\n')
    title = {f.name: f for f in build_table_schema(config, "items").feature}["title"]
    assert title.domain == "titles"


@pytest.mark.parametrize("name", ["simulated", "movietweetings", "movielens-1m"])
def test_a_name_brings_no_schema(tmp_path, name):
    plain = SHOP + "[curated]\ndefault_drift = false\n"
    config = load(tmp_path, plain.replace('"shop"', f'"{name}"'))
    for table in TABLES:
        assert build_table_schema(config, table) == derive_table_schema(config, table)


@pytest.mark.parametrize(
    "path", [*CONFIGS.glob("*.toml"), *CONFIGS.glob("recipes/*.toml")], ids=lambda path: path.stem
)
def test_a_shipped_configuration_has_the_schema_of_its_data(path):
    config = load_config(path, ["curated.default_drift=false"])
    files = CONFIGS.parent / "schema" / "curated"
    there = (files / f"{config.name}.items.pbtxt").exists()
    assert config.curated.shipped == (config.name if there else None)
    for table in TABLES:
        assert (build_table_schema(config, table) != derive_table_schema(config, table)) == there


def test_features_without_a_curated_rule_have_default_comparators(tmp_path):
    declared = """
[features.items]
kind = { kind = "category" }
price = { kind = "number" }
about = { kind = "text" }
[labels.ranking]
stars = { column = "stars", kind = "regression" }
"""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "items.pbtxt").write_text('feature { name: "item_price" type: FLOAT }')
    config = load(tmp_path, SHOP + declared + CURATED)
    drift = {
        feature.name: feature.drift_comparator
        for table in TABLES
        for feature in build_table_schema(config, table).feature
        if feature.HasField("drift_comparator")
    }
    assert drift.keys() == {"item_ids", "positive", "label_stars", "item_kind"}
    assert drift["item_kind"].infinity_norm.threshold == 0.3
    assert drift["item_ids"].infinity_norm.threshold == 0.5
    assert drift["label_stars"].jensen_shannon_divergence.threshold == 0.2
    config = load(tmp_path, SHOP + declared + "[curated]\ndefault_drift = false\n")
    for table in TABLES:
        assert build_table_schema(config, table) == derive_table_schema(config, table)
