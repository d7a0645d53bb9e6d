"""Distances between two sets of statistics, and findings for those above the schema's threshold.

A schema's `drift_comparator` applies to each split of the new and of the previous data; its
`skew_comparator` applies to train and each later split of the same data. TFDV computes both: the
L-infinity distance of categories (the largest change of any value's share), and the Jensen–Shannon
divergence of numbers (base 2, 0 to 1, over its histograms).
"""

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.validation.feature_statistics import (
    compute_shares,
    get_common,
    index_features,
    is_numeric,
)
from components.validation.findings import Finding
from schema.tfdv_schema import has_default_drift

Statistics = statistics_pb2.DatasetFeatureStatisticsList
_VOLUME = (
    anomalies_pb2.AnomalyInfo.COMPARATOR_LOW_NUM_EXAMPLES,
    anomalies_pb2.AnomalyInfo.COMPARATOR_HIGH_NUM_EXAMPLES,
)
_SHOWN = 3
_DEFAULT_NOTE = " (by default, see curated.default_drift)"
LEAST_EXAMPLES = 100
"""Examples (users, or items) that a default comparator needs in both data: a share of one half of
that many moves by more than the threshold by chance in one of 40,000 comparisons."""


@dataclasses.dataclass(frozen=True)
class _Comparison:
    """Two sets of statistics that a rule compares."""

    table: str
    split: str
    rule: str
    """drift or skew."""
    reference_name: str
    """Description of `reference` in messages."""
    reference: Statistics
    statistics: Statistics
    defaults: frozenset[str] = frozenset()
    """Features whose threshold is a default."""


def find_drift(
    table: str, split: str, schema: schema_pb2.Schema, now: Statistics, before: Statistics
) -> list[Finding]:
    """Compares a split with the same split of the previous data.

    Args:
        table: interactions or items.
        split: Name of the split.
        schema: Schema with the thresholds.
        now: Statistics of the new data.
        before: Statistics of the previous data.
    """
    rules = _restrict_comparators(schema, "drift_comparator", now, before)
    rules = _drop_defaults_of_few(rules, now, before)
    anomalies = tfdv.validate_statistics(now, rules, previous_statistics=before)
    measured = {_join_path(info): info.drift_measurements for info in anomalies.drift_skew_info}
    defaults = frozenset(feature.name for feature in filter(has_default_drift, rules.feature))
    comparison = _Comparison(table, split, "drift", "the previous data", before, now, defaults)
    volume = [
        Finding(table, split, "*", "volume", _describe_volume_rule(schema), reason.description)
        for reason in anomalies.dataset_anomaly_info.reason
        if reason.type in _VOLUME
    ]
    return volume + _build_findings(comparison, measured)


def find_skew(
    table: str, split: str, schema: schema_pb2.Schema, train: Statistics, later: Statistics
) -> list[Finding]:
    """Compares a later split with train.

    Args:
        table: interactions or items.
        split: Name of the later split.
        schema: Schema with the thresholds.
        train: Statistics of train.
        later: Statistics of `split`.
    """
    rules = _restrict_comparators(schema, "skew_comparator", train, later)
    anomalies = tfdv.validate_statistics(train, rules, serving_statistics=later)
    measured = {_join_path(info): info.skew_measurements for info in anomalies.drift_skew_info}
    return _build_findings(_Comparison(table, split, "skew", "train", train, later), measured)


def compute_distances(
    schema: schema_pb2.Schema, one: Statistics, other: Statistics
) -> dict[str, float]:
    """Computes the distance of each feature with a `skew_comparator`, for any threshold."""
    rules = _restrict_comparators(schema, "skew_comparator", one, other)
    anomalies = tfdv.validate_statistics(one, rules, serving_statistics=other)
    return {_join_path(i): i.skew_measurements[0].value for i in anomalies.drift_skew_info}


def _restrict_comparators(
    schema: schema_pb2.Schema, comparator: str, one: Statistics, other: Statistics
) -> schema_pb2.Schema:
    """Returns a copy of `schema` without the comparators of features that only one of the two has:
    a feature that was just declared is not drift.
    """
    both = index_features(one).keys() & index_features(other).keys()
    rules = copy.deepcopy(schema)
    for feature in rules.feature:
        if feature.name not in both:
            feature.ClearField(comparator)
    return rules


def _drop_defaults_of_few(
    rules: schema_pb2.Schema, one: Statistics, other: Statistics
) -> schema_pb2.Schema:
    """Removes default comparators, in place, of features that few Examples of one of the two have;
    returns `rules`.
    """
    both = [index_features(each) for each in (one, other)]
    for feature in filter(has_default_drift, rules.feature):
        described = [each[feature.name] for each in both if feature.name in each]
        examples = [get_common(each).num_non_missing for each in described]
        if min(examples, default=0) < LEAST_EXAMPLES:
            feature.ClearField("drift_comparator")
    return rules


def _build_findings(comparison: _Comparison, measured: Mapping[str, Any]) -> list[Finding]:
    reference = index_features(comparison.reference)
    features = index_features(comparison.statistics)
    return [
        Finding(
            comparison.table,
            comparison.split,
            name,
            comparison.rule,
            f"a distance of at most {one.threshold:.4g} from {comparison.reference_name}"
            + _DEFAULT_NOTE * (name in comparison.defaults),
            f"{one.value:.4g} ({_name_measure(one)})",
            tuple(_describe_changes(reference[name], features[name])),
        )
        for name, measurements in sorted(measured.items())
        for one in measurements
        if one.value > one.threshold
    ]


def _name_measure(measurement: Any) -> str:
    is_l_infinity = measurement.type == anomalies_pb2.DriftSkewInfo.Measurement.L_INFTY
    return "L-infinity" if is_l_infinity else "Jensen–Shannon"


def _describe_changes(
    before: statistics_pb2.FeatureNameStatistics, now: statistics_pb2.FeatureNameStatistics
) -> list[str]:
    """The values whose shares changed most; for numbers, mean and median."""
    if is_numeric(now):
        old, new = before.num_stats, now.num_stats
        return [
            f"mean {old.mean:,.4g} → {new.mean:,.4g}",
            f"median {old.median:,.4g} → {new.median:,.4g}",
        ]
    old_shares, new_shares = compute_shares(before), compute_shares(now)
    change = {
        value: new_shares.get(value, 0.0) - old_shares.get(value, 0.0)
        for value in old_shares | new_shares
    }
    most = sorted(change, key=lambda value: (-abs(change[value]), value))[:_SHOWN]
    return [f"{v!r} {old_shares.get(v, 0.0):.1%} → {new_shares.get(v, 0.0):.1%}" for v in most]


def _describe_volume_rule(schema: schema_pb2.Schema) -> str:
    bound = schema.dataset_constraints.num_examples_drift_comparator
    parts = [f"at least {bound.min_fraction_threshold:.4g}"] if bound.min_fraction_threshold else []
    if bound.HasField("max_fraction_threshold"):
        parts.append(f"at most {bound.max_fraction_threshold:.4g}")
    return f"{' and '.join(parts)} times the Examples of the previous data"


def _join_path(info: Any) -> str:
    return ".".join(info.path.step)
