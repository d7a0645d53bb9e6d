import pathlib

import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.tf_metadata import schema_utils

from schema import tfdv_schema
from schema.dataset import Dataset
from schema.errors import ConfigError
from schema.tfdv_schema import curated

DATASET = Dataset.model_validate(
    {
        "data": {
            "interactions": {"path": "events.csv"},
            "items": {"path": "items.csv"},
            "users": {"path": "users.csv"},
        },
        "features": {
            "items": {
                "name": {"kind": "text"},
                "tags": {"kind": "set"},
                "cover": {"kind": "vector", "size": 3},
            },
            "users": {"age": {"kind": "number"}},
            "context": {"device": {"kind": "category"}},
        },
        "labels": {"ranking": {"rating": {"column": "stars", "kind": "regression"}}},
    }
)

INTERACTIONS = """
feature { name: "user_id" type: BYTES presence { min_fraction: 1 min_count: 1 } shape {} }
feature { name: "target_from" type: INT presence { min_fraction: 1 min_count: 1 }
          shape {} int_domain { min: 0 } }
feature { name: "item_ids" type: BYTES presence { min_fraction: 1 min_count: 1 } }
feature { name: "timestamps" type: INT presence { min_fraction: 1 min_count: 1 }
          int_domain { min: 0 } }
feature { name: "positive" type: INT presence { min_fraction: 1 min_count: 1 }
          int_domain { min: 0 max: 1 } }
feature { name: "label_rating" type: FLOAT presence { min_fraction: 1 min_count: 1 } }
feature { name: "context_device" type: BYTES }
feature { name: "user_age" type: FLOAT value_count { max: 1 } }
represent_variable_length_as_ragged: true
"""

ITEMS = """
feature { name: "item_id" type: BYTES presence { min_fraction: 1 min_count: 1 } shape {} }
feature { name: "title" type: BYTES value_count { max: 1 } }
feature { name: "item_name" type: BYTES value_count { max: 1 } }
feature { name: "item_tags" type: BYTES }
feature { name: "item_cover" type: FLOAT value_count { max: 3 } }
represent_variable_length_as_ragged: true
"""


def _proto(text):
    return text_format.Parse(text, schema_pb2.Schema())


def test_interactions_by_hand():
    assert tfdv_schema.build_interactions(DATASET) == _proto(INTERACTIONS)


def test_items_by_hand():
    assert tfdv_schema.build_items(DATASET) == _proto(ITEMS)


def test_examples_are_parsed_as_the_preprocessing_expects():
    spec = schema_utils.schema_as_feature_spec(tfdv_schema.build_interactions(DATASET)).feature_spec
    assert spec["user_id"] == tf.io.FixedLenFeature([], tf.string)
    assert isinstance(spec["item_ids"], tf.io.RaggedFeature)
    assert isinstance(spec["user_age"], tf.io.RaggedFeature)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path):
    """A temporary folder of curated files."""
    monkeypatch.setattr(curated, "_SHIPPED", tmp_path / "curated")
    (tmp_path / "curated").mkdir()
    return tmp_path / "curated"


def test_a_curated_feature_replaces_the_implied_one(folder):
    curated = 'name: "item_tags" type: BYTES domain: "tags" presence { min_fraction: 0.5 }'
    domain = 'string_domain { name: "tags" value: "new" value: "sale" }'
    (folder / "shop.items.pbtxt").write_text(f"feature {{ {curated} }} {domain}", encoding="utf-8")
    result = tfdv_schema.apply_shipped(tfdv_schema.build_items(DATASET), "shop", "items")
    expected = _proto(
        ITEMS.replace('name: "item_tags" type: BYTES', curated) + domain,
    )
    assert result == expected


def test_a_curated_file_must_not_name_unknown_features(folder):
    (folder / "shop.items.pbtxt").write_text('feature { name: "item_tgas" }', encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"shop\.items\.pbtxt: expected features among .*, received 'item_tgas'"
    ):
        tfdv_schema.apply_shipped(tfdv_schema.build_items(DATASET), "shop", "items")


def test_constraints_of_a_users_own_file_are_applied(tmp_path):
    path = tmp_path / "own.pbtxt"
    constraints = "dataset_constraints { min_examples_count: 10 }"
    path.write_text(constraints, encoding="utf-8")
    result = tfdv_schema.apply_curated(tfdv_schema.build_items(DATASET), path)
    assert result == _proto(ITEMS + constraints)


def test_a_missing_or_invalid_schema_file_is_named(tmp_path):
    path = tmp_path / "own.pbtxt"
    with pytest.raises(ConfigError, match=r"own\.pbtxt, received: No such file"):
        tfdv_schema.apply_curated(tfdv_schema.build_items(DATASET), path)
    path.write_text("feature { nmae: 'item_tags' }", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"own\.pbtxt: expected a tensorflow_metadata Schema"):
        tfdv_schema.apply_curated(tfdv_schema.build_items(DATASET), path)
