"""Converts TFDV's anomalies to findings: the rule, the expected values, the observed values."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.validation.feature_statistics import (
    compute_present_fraction,
    count_examples,
    count_values,
    get_common,
    index_features,
)
from components.validation.findings import Finding
from components.validation.schema_rules import (
    BreachTest,
    build_breach_test,
    describe_domain,
    describe_presence,
    describe_range,
    describe_valency,
    format_percent,
    list_domain,
)

_TYPES = anomalies_pb2.AnomalyInfo
_RULES = {
    "domain": (_TYPES.ENUM_TYPE_UNEXPECTED_STRING_VALUES,),
    "presence": (
        _TYPES.FEATURE_TYPE_LOW_FRACTION_PRESENT,
        _TYPES.FEATURE_TYPE_LOW_NUMBER_PRESENT,
        _TYPES.FEATURE_TYPE_NOT_PRESENT,
        _TYPES.SCHEMA_MISSING_COLUMN,
    ),
    "valency": (
        _TYPES.FEATURE_TYPE_HIGH_NUMBER_VALUES,
        _TYPES.FEATURE_TYPE_LOW_NUMBER_VALUES,
        _TYPES.FEATURE_TYPE_NO_VALUES,
        _TYPES.FEATURE_TYPE_UNEXPECTED_REPEATED,
        _TYPES.INVALID_FEATURE_SHAPE,
    ),
    "range": (
        _TYPES.FLOAT_TYPE_BIG_FLOAT,
        _TYPES.FLOAT_TYPE_SMALL_FLOAT,
        _TYPES.INT_TYPE_BIG_INT,
        _TYPES.INT_TYPE_SMALL_INT,
    ),
    "finite": (_TYPES.FLOAT_TYPE_HAS_NAN, _TYPES.FLOAT_TYPE_HAS_INF),
}
_RULE_OF = {kind: rule for rule, kinds in _RULES.items() for kind in kinds}
_SHOWN = 3

Lookup = Callable[[str, BreachTest], Iterable[str]]
"""(feature, test) -> descriptions of a few Examples that break the rule."""


class ValidatedSplit(NamedTuple):
    """One split of one table, with its schema and statistics."""

    table: str
    split: str
    schema: schema_pb2.Schema
    statistics: statistics_pb2.DatasetFeatureStatisticsList


def find_anomalies(
    anomalies: anomalies_pb2.Anomalies, validated: ValidatedSplit, lookup: Lookup
) -> list[Finding]:
    """Returns a finding for each feature and rule that TFDV found broken, sorted by feature."""
    if not count_examples(validated.statistics):
        # TFDV reports no anomaly for an empty split.
        return [_build_split_finding(validated, "volume", "at least one Example", "none")]
    findings = [
        _build_split_finding(
            validated, reason.short_description, "data that fit the schema", reason.description
        )
        for reason in anomalies.dataset_anomaly_info.reason
    ]
    for name, info in sorted(anomalies.anomaly_info.items()):
        by_rule = {_RULE_OF.get(reason.type, ""): reason for reason in info.reason}
        for rule, reason in by_rule.items():
            findings.append(_build_finding(name, rule, reason, validated, lookup))
    return findings


def _build_split_finding(validated: ValidatedSplit, rule: str, expected: str, seen: str) -> Finding:
    return Finding(validated.table, validated.split, "*", rule, expected, seen)


def _build_finding(
    name: str, rule: str, reason: Any, validated: ValidatedSplit, lookup: Lookup
) -> Finding:
    declared = {feature.name: feature for feature in validated.schema.feature}.get(name)
    described = index_features(validated.statistics).get(
        name, statistics_pb2.FeatureNameStatistics()
    )
    subject = (validated.table, validated.split, name)
    if declared is None or not rule:
        return Finding(
            *subject, reason.short_description, "data that fit the schema", reason.description
        )
    breach = build_breach_test(rule, declared, validated.schema)
    return Finding(
        *subject,
        rule,
        _describe_expected(rule, declared, validated.schema),
        _describe_seen(rule, described, set(list_domain(declared, validated.schema))),
        tuple(lookup(name, breach)),
    )


def _describe_expected(rule: str, feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    match rule:
        case "domain":
            return describe_domain(feature, schema)
        case "presence":
            return describe_presence(feature)
        case "valency":
            return describe_valency(feature)
        case "range":
            return describe_range(feature)
    return "finite numbers"


def _describe_seen(
    rule: str, feature: statistics_pb2.FeatureNameStatistics, allowed: set[str]
) -> str:
    common, numbers = get_common(feature), feature.num_stats
    match rule:
        case "domain":
            others = {v: n for v, n in count_values(feature).items() if v not in allowed}
            top = ", ".join(
                f"{value!r} {n:,.0f} times" for value, n in list(others.items())[:_SHOWN]
            )
            total = common.tot_num_values
            return f"{top} ({sum(others.values()):,.0f} of {total:,} values are not allowed)"
        case "presence":
            examined = common.num_non_missing + common.num_missing
            fraction = compute_present_fraction(feature)
            return f"{format_percent(fraction)} ({common.num_non_missing:,} of {examined:,})"
        case "valency":
            return f"{common.min_num_values} to {common.max_num_values} values"
        case "range":
            return f"numbers from {numbers.min:,.6g} to {numbers.max:,.6g}"
    missing = sum(histogram.num_nan for histogram in numbers.histograms[:1])
    return f"{missing:,} NaN, and numbers from {numbers.min:,.6g} to {numbers.max:,.6g}"
