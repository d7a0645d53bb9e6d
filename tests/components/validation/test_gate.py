"""Findings of planted tables with schemas written by hand."""

import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.validation import findings
from components.validation.findings import Finding
from components.validation.gate import GateTable, find_broken_rules
from schema.errors import DataRefused

SCHEMA = text_format.Parse(
    """
    feature { name: "item_id" type: BYTES }
    feature { name: "item_kind" type: BYTES domain: "kinds" presence { min_fraction: 1 }
              drift_comparator { infinity_norm { threshold: 0.25 } } }
    feature { name: "item_tags" type: BYTES value_count { min: 1 max: 2 } }
    feature { name: "item_price" type: FLOAT float_domain { min: 0 max: 100 }
              drift_comparator { jensen_shannon_divergence { threshold: 0.5 } } }
    feature { name: "item_new" type: BYTES drift_comparator { infinity_norm { threshold: 0 } } }
    string_domain { name: "kinds" value: "book" value: "toy" }
    dataset_constraints { num_examples_drift_comparator { min_fraction_threshold: 0.5 } }
    """,
    schema_pb2.Schema(),
)
SOUND = {
    "item_id": [f"i{n}" for n in range(10)],
    "item_kind": ["book"] * 8 + ["toy"] * 2,
    "item_tags": [["x"], ["x", "y"]] * 5,
    "item_price": [10.0 * n for n in range(10)],
    "item_new": ["n"] * 10,
}


def checked(described, before=None, schema=SCHEMA) -> list[Finding]:
    statistics, uri = described
    anomalies = {split: tfdv.validate_statistics(s, schema) for split, s in statistics.items()}
    return find_broken_rules(GateTable("items", uri, schema, statistics, anomalies, before or {}))


@pytest.fixture(scope="module")
def sound(describe):
    return describe({"all": SOUND})


def test_valid_data_pass_and_have_no_drift_from_themselves(sound):
    assert checked(sound, before=sound[0]) == []


def test_each_finding_has_expected_and_observed_values_and_examples(describe):
    broken = SOUND | {
        "item_kind": ["book"] * 6 + ["toy", "cup", "cup", None],
        "item_tags": [["x"]] * 9 + [["x", "y", "z"]],
        "item_price": [10.0 * n for n in range(8)] + [-3.0, 101.5],
    }
    by_rule = {(f.feature, f.rule): f for f in checked(describe({"all": broken}))}
    assert by_rule.keys() == {
        ("item_kind", "domain"),
        ("item_kind", "presence"),
        ("item_tags", "valency"),
        ("item_price", "range"),
    }
    assert by_rule["item_kind", "domain"] == Finding(
        "items",
        "all",
        "item_kind",
        "domain",
        "one of 'book', 'toy'",
        "'cup' 2 times (2 of 9 values are not allowed)",
        ("item_id i7: cup", "item_id i8: cup"),
    )
    presence = by_rule["item_kind", "presence"]
    assert presence.expected == "a value in at least 100 % of the Examples"
    assert presence.seen == "90 % (9 of 10)"
    assert presence.examples == ("item_id i9: no value",)
    valency = by_rule["item_tags", "valency"]
    assert (valency.expected, valency.seen) == ("1 to 2 values each", "1 to 3 values")
    assert valency.examples == ("item_id i9: 3 values",)
    price = by_rule["item_price", "range"]
    assert (price.expected, price.seen) == ("numbers from 0 to 100", "numbers from -3 to 101.5")
    assert price.examples == ("item_id i8: -3", "item_id i9: 101.5")


def test_a_share_that_changed_more_than_allowed_is_drift(describe, sound):
    # book .8 -> .5, toy .2 -> .5: the L-infinity distance is .3
    moved = SOUND | {"item_kind": ["book", "toy"] * 5}
    [finding] = checked(describe({"all": moved}), before=sound[0])
    assert (finding.feature, finding.rule) == ("item_kind", "drift")
    assert finding.expected == "a distance of at most 0.25 from the previous data"
    assert finding.seen == "0.3 (L-infinity)"
    assert finding.examples == ("'book' 80.0% → 50.0%", "'toy' 20.0% → 50.0%")


def test_a_changed_distribution_of_numbers_is_drift(describe, sound):
    # every price above all previous ones: no overlap, so the divergence is 1
    moved = SOUND | {"item_price": [95.0 + n / 10 for n in range(10)]}
    [finding] = checked(describe({"all": moved}), before=sound[0])
    assert (finding.feature, finding.rule) == ("item_price", "drift")
    assert finding.seen == "1 (Jensen–Shannon)"
    assert finding.examples[0] == "mean 45 → 95.45"


@pytest.mark.parametrize(("items", "expected"), [(99, []), (100, ["item_kind"])])
def test_a_default_comparator_needs_enough_examples(describe, items, expected):
    """The share of book goes from 1 to .6."""
    schema = text_format.Parse(
        'feature { name: "item_id" type: BYTES } feature { name: "item_kind" type: BYTES '
        'annotation { tag: "default_drift" } drift_comparator { infinity_norm { threshold: 0.3 } } '
        "}",
        schema_pb2.Schema(),
    )
    ids = [f"i{n}" for n in range(200)]
    before = describe({"all": {"item_id": ids, "item_kind": ["book"] * 200}})
    moved = (["book"] * 3 + ["toy"] * 2) * 40
    now = describe({"all": {"item_id": ids[:items], "item_kind": moved[:items]}})
    drift = checked(now, before=before[0], schema=schema)
    assert [each.feature for each in drift] == expected
    assert all("by default, see curated.default_drift" in each.expected for each in drift)


def test_a_table_that_lost_more_than_half_is_a_finding(describe, sound):
    few = {name: values[4:8] for name, values in SOUND.items()}
    broken = checked(describe({"all": few}), before=sound[0])
    [volume] = [f for f in broken if f.rule == "volume"]
    assert volume.feature == "*"
    assert volume.expected == "at least 0.5 times the Examples of the previous data"


def test_a_new_feature_is_not_drift(describe, sound):
    old = {name: values for name, values in SOUND.items() if name != "item_new"}
    assert checked(sound, before=describe({"all": old})[0]) == []


def test_an_empty_split_is_named(describe):
    [finding] = checked(describe({"all": {}}))
    assert (finding.feature, finding.rule, finding.seen) == ("*", "volume", "none")


def test_a_later_split_is_compared_with_train(describe):
    schema = text_format.Parse(
        'feature { name: "user_id" type: BYTES } feature { name: "target_from" type: INT }'
        'feature { name: "context_device" type: BYTES '
        "skew_comparator { infinity_norm { threshold: 0.5 } } }",
        schema_pb2.Schema(),
    )
    timelines = {
        "train": {"user_id": ["u"], "target_from": [0], "context_device": [["p", "p", "p", "t"]]},
        # one of its five own events is p: a distance of .75 - .2 = .55; with the history .2
        "valid": {
            "user_id": ["u"],
            "target_from": [4],
            "context_device": [["p", "p", "p", "t", "p", "t", "t", "t", "t"]],
        },
        "test": {"user_id": ["u"], "target_from": [3], "context_device": [["t", "t", "t", "p"]]},
    }
    [finding] = checked(describe(timelines), schema=schema)
    assert (finding.split, finding.feature, finding.rule) == ("valid", "context_device", "skew")
    assert finding.seen == "0.55 (L-infinity)"


def test_the_error_has_one_line_per_finding():
    findings.raise_findings([], "pages")
    one = Finding("items", "all", "item_price", "range", "numbers from 0 to 1", "numbers to 9")
    with pytest.raises(DataRefused, match="1 broken rule:") as refused:
        findings.raise_findings([one], "pages")
    assert (
        "items/all: item_price: range: expected numbers from 0 to 1, received numbers to 9"
        in str(refused.value).splitlines()[1]
    )
    assert "pages" in str(refused.value)
