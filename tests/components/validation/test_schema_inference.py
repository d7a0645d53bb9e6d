import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.validation.schema_inference import infer_schema
from schema import tfdv_schema
from schema.dataset import Dataset

DATASET = Dataset.model_validate(
    {
        "data": {
            "interactions": {"path": "events.csv"},
            "items": {"path": "items.csv"},
            "users": {"path": "users.csv"},
        },
        "features": {
            "items": {
                "kind_of": {"kind": "category"},
                "brand": {"kind": "category"},
                "tags": {"kind": "set"},
                "price": {"kind": "number"},
                "cover": {"kind": "vector", "size": 2},
            },
            "users": {"region": {"kind": "category"}},
        },
        "labels": {"ranking": {"stars": {"column": "stars", "kind": "regression"}}},
    }
)
# 40 items: brand b0 occurs only once (1 of 40 > .001), so brands are not a closed set;
# eight items have no tags (.9 x .8 = .72); prices end at 78, without a pile: up to 78 + 78.
ITEMS = {
    "item_id": [f"i{n}" for n in range(40)],
    "title": [f"thing {n}" for n in range(40)],
    "item_kind_of": ["book", "toy"] * 20,
    "item_brand": ["b0", *["b1"] * 20, *["b2"] * 19],
    "item_tags": [["x"], ["x", "y"], ["x", "y", "z"], ["y", "z"], []] * 8,
    "item_price": [2.0 * n for n in range(40)],
    "item_cover": [[0.5, -0.5]] * 40,
}
INFERRED_ITEMS = """
feature { name: "title" type: BYTES value_count { min: 1 max: 1 }
          presence { min_fraction: 1 min_count: 1 } }
feature { name: "item_kind_of" type: BYTES value_count { min: 1 max: 1 } domain: "item_kind_of"
          presence { min_fraction: 1 min_count: 1 }
          drift_comparator { infinity_norm { threshold: 0.1 } } }
feature { name: "item_brand" type: BYTES value_count { min: 1 max: 1 }
          presence { min_fraction: 1 min_count: 1 }
          drift_comparator { infinity_norm { threshold: 0.1 } } }
feature { name: "item_tags" type: BYTES value_count { min: 1 max: 6 } domain: "item_tags"
          presence { min_fraction: 0.72 min_count: 1 }
          drift_comparator { infinity_norm { threshold: 0.1 } } }
feature { name: "item_price" type: FLOAT value_count { min: 1 max: 1 }
          presence { min_fraction: 1 min_count: 1 }
          float_domain { min: 0 max: 156 disallow_nan: true disallow_inf: true }
          drift_comparator { jensen_shannon_divergence { threshold: 0.1 } } }
feature { name: "item_cover" type: FLOAT value_count { min: 2 max: 2 }
          presence { min_fraction: 1 min_count: 1 }
          float_domain { disallow_nan: true disallow_inf: true } }
string_domain { name: "item_kind_of" value: "book" value: "toy" }
string_domain { name: "item_tags" value: "x" value: "y" value: "z" }
dataset_constraints { num_examples_drift_comparator { min_fraction_threshold: 0.5 } }
"""


def test_items_by_hand(describe):
    statistics, _ = describe({"all": ITEMS})
    result = infer_schema(tfdv_schema.build_items(DATASET), DATASET, statistics)
    expected = text_format.Parse(INFERRED_ITEMS, schema_pb2.Schema())
    assert text_format.MessageToString(result) == text_format.MessageToString(expected)


@pytest.fixture(scope="module")
def inferred(describe):
    hole = float("nan")
    timelines = {
        "train": {
            "user_id": ["u", "v"],
            "target_from": [0, 0],
            "item_ids": [["a", "b"] * 10, ["a", "b"] * 10],
            "label_stars": [[1.0, 5.0] * 10, [1.0, 5.0] * 10],
            "user_region": ["north", "south"],
        },
        # a has 8 of the 10 own items, in train one of two: a distance of .3
        "valid": {
            "user_id": ["u", "v"],
            "target_from": [0, 0],
            "item_ids": [["a"] * 5, ["a", "a", "a", "b", "b"]],
            "label_stars": [[1.0, 5.0, 1.0, 5.0, hole], [1.0, 5.0, 1.0, 5.0, 1.0]],
            "user_region": ["north", "north"],
        },
    }
    statistics, _ = describe(timelines)
    schema = infer_schema(tfdv_schema.build_interactions(DATASET), DATASET, statistics)
    return {feature.name: feature for feature in schema.feature}


def test_thresholds_are_twice_the_drift_within_the_log(inferred):
    assert inferred["item_ids"].skew_comparator.infinity_norm.threshold == pytest.approx(0.6)
    assert inferred["item_ids"].drift_comparator.infinity_norm.threshold == pytest.approx(0.6)


def test_a_distance_above_one_half_gives_no_rule(inferred):
    # region: .5 in train, 1 in valid: twice that is 1, which nothing exceeds
    assert not inferred["user_region"].HasField("skew_comparator")


def test_ends_of_a_scale_are_bounds_and_observed_nans_are_allowed(inferred):
    stars = inferred["label_stars"].float_domain
    assert (stars.min, stars.max) == (1, 5)
    assert not stars.disallow_nan
    assert stars.disallow_inf


def test_only_features_with_rules_in_the_data_are_inferred(inferred):
    assert inferred.keys() == {"item_ids", "label_stars", "user_region"}
