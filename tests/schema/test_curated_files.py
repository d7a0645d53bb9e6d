"""The curated schemas of the shipped configurations accept valid rows and reject wrong values."""

import pathlib
from typing import Any

import pyarrow as pa
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.tf_metadata import schema_utils

from pipeline.config.config import load_config
from schema import tfdv_schema

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ("simulated", "movietweetings", "movielens-1m")
TABLES = ("interactions", "items")

# One valid row per table by the descriptions of the data sets; times of 2001 and of 2013.
T2001, T2013 = 1_000_000_000, 1_370_000_000
ROWS: dict[tuple[str, str], dict[str, list[Any]]] = {
    ("simulated", "interactions"): {
        "user_id": ["u1"], "target_from": [0], "item_ids": ["i1", "i2"],
        "timestamps": [T2013, T2013 + 1], "positive": [1, 1], "label_purchase": [0.0, 1.0],
        "label_rating": [1.0, 4.5], "context_device": ["phone", "tablet"], "user_region": ["coast"],
    },
    ("simulated", "items"): {
        "item_id": ["i1"], "title": ["Rustic Wooden Dice"], "item_title": ["Rustic Wooden Dice"],
        "item_category": ["Games"], "item_tags": ["cosy", "modern", "limited"],
        "item_price": [9.2], "available": [0],
    },
    ("movietweetings", "interactions"): {
        "user_id": ["1"], "target_from": [0], "item_ids": ["0104257", "1074638"],
        "timestamps": [T2013, T2013], "positive": [1, 1], "label_rating": [0.0, 10.0],
    },
    ("movietweetings", "items"): {
        "item_id": ["0005078"], "title": ["The Cheat (1915)"], "item_title": ["The Cheat (1915)"],
        "item_genres": ["Drama", "Film-Noir"],
    },
    ("movielens-1m", "interactions"): {
        "user_id": ["1"], "target_from": [0], "item_ids": ["1193", "661"],
        "timestamps": [T2001, T2001 + 9], "positive": [1, 1], "label_rating": [5.0, 1.0],
        "user_gender": ["F"], "user_age": ["25"], "user_occupation": ["20"],
    },
    ("movielens-1m", "items"): {
        "item_id": ["1"], "title": ["Toy Story (1995)"], "item_title": ["Toy Story (1995)"],
        "item_genres": ["Animation", "Children's", "Comedy"],
    },
}  # fmt: skip

WRONG = [
    ("simulated", "interactions", "label_rating", [0.5, 4.5]),
    ("simulated", "interactions", "label_rating", [float("nan"), 4.5]),
    ("simulated", "interactions", "label_purchase", [2.0, 1.0]),
    ("simulated", "interactions", "context_device", ["phone", "watch"]),
    ("simulated", "interactions", "user_region", []),
    ("simulated", "items", "title", []),
    ("simulated", "items", "item_category", ["Weapons"]),
    ("simulated", "items", "item_tags", ["cosy", "modern"]),
    ("simulated", "items", "item_price", [-1.0]),
    ("simulated", "items", "available", [2]),
    ("simulated", "items", "available", []),
    ("movietweetings", "interactions", "label_rating", [5.0, 11.0]),
    ("movietweetings", "interactions", "label_rating", [5.0, float("nan")]),
    ("movietweetings", "interactions", "timestamps", [T2001, T2013]),
    ("movietweetings", "items", "title", []),
    ("movietweetings", "items", "item_genres", ["Drama", "Comedy|War"]),
    ("movielens-1m", "interactions", "label_rating", [0.0, 5.0]),
    ("movielens-1m", "interactions", "timestamps", [T2001, T2013]),
    ("movielens-1m", "interactions", "user_gender", ["X"]),
    ("movielens-1m", "interactions", "user_age", ["26"]),
    ("movielens-1m", "interactions", "user_occupation", ["21"]),
    ("movielens-1m", "items", "item_genres", []),
    ("movielens-1m", "items", "item_genres", ["Adult"]),
]


def implied(name: str, table: str) -> schema_pb2.Schema:
    folder = ROOT / "configs" / ("recipes" if name == "movielens-1m" else "")
    dataset = load_config(folder / f"{name}.toml").dataset
    return getattr(tfdv_schema, f"build_{table}")(dataset)


def curated(name: str, table: str) -> schema_pb2.Schema:
    return tfdv_schema.apply_shipped(implied(name, table), name, table)


def broken_features(rows: list[dict[str, list[Any]]], schema: schema_pb2.Schema) -> set[str]:
    """Features with an anomaly by TFDV; an absent value is a feature without values."""
    columns = {}
    for feature in schema.feature:
        kind = {schema_pb2.BYTES: pa.large_string(), schema_pb2.INT: pa.int64()}
        columns[feature.name] = pa.array(
            [row[feature.name] or None for row in rows],
            pa.large_list(kind.get(feature.type, pa.float32())),
        )
    batch = pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
    result = stats_impl.generate_statistics_in_memory(batch, tfdv.StatsOptions(schema=schema))
    return set(tfdv.validate_statistics(result, schema).anomaly_info)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("table", TABLES)
def test_a_curated_file_is_stricter_than_the_implied_schema(name, table):
    loose, tight = implied(name, table), curated(name, table)
    assert [(f.name, f.type) for f in tight.feature] == [(f.name, f.type) for f in loose.feature]
    assert tight != loose
    specs = [schema_utils.schema_as_feature_spec(schema).feature_spec for schema in (loose, tight)]
    assert {k: type(v) for k, v in specs[0].items()} == {k: type(v) for k, v in specs[1].items()}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("table", TABLES)
def test_every_domain_exists_and_is_used(name, table):
    schema = curated(name, table)
    used = {feature.domain for feature in schema.feature if feature.domain}
    assert used == {domain.name for domain in schema.string_domain}
    assert all(domain.value for domain in schema.string_domain)


@pytest.mark.parametrize(("name", "table"), ROWS)
def test_a_valid_row_passes(name, table):
    assert broken_features([ROWS[name, table]] * 3, curated(name, table)) == set()


@pytest.mark.parametrize(("name", "table", "feature", "values"), WRONG)
def test_a_wrong_value_is_an_anomaly_of_its_feature(name, table, feature, values):
    right = ROWS[name, table]
    wrong = right | {feature: values}
    assert broken_features([right, wrong], curated(name, table)) == {feature}


@pytest.mark.parametrize(("strangers", "broken"), [(1, set()), (3, {"item_genres"})])
def test_a_new_genre_does_not_stop_the_run(strangers, broken):
    right = ROWS["movietweetings", "items"]
    rows = [right] * 100 + [right | {"item_genres": ["Podcast", "Drama"]}] * strangers
    assert broken_features(rows, curated("movietweetings", "items")) == broken
