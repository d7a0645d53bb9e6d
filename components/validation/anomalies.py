"""TFDV's anomalies -> findings: which rule, what was expected, what was seen."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.validation import feature_statistics, schema_rules
from components.validation.findings import Finding

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

Lookup = Callable[[str, schema_rules.Breach], Iterable[str]]
"""(feature, test) -> a few Examples that break the rule, in words."""


class Validated(NamedTuple):
    """One split of one table, and what its validation needs to be understood."""

    table: str
    split: str
    schema: schema_pb2.Schema
    statistics: statistics_pb2.DatasetFeatureStatisticsList


def findings(
    anomalies: anomalies_pb2.Anomalies, validated: Validated, lookup: Lookup
) -> list[Finding]:
    """A finding for each feature and rule that TFDV found broken, by name of the feature."""
    if not feature_statistics.examples(validated.statistics):
        # TFDV finds nothing wrong where there is nothing.
        return [_of_split(validated, "volume", "at least one Example", "none")]
    found = [
        _of_split(validated, reason.short_description, "what the schema says", reason.description)
        for reason in anomalies.dataset_anomaly_info.reason
    ]
    for name, info in sorted(anomalies.anomaly_info.items()):
        by_rule = {_RULE_OF.get(reason.type, ""): reason for reason in info.reason}
        found += [_finding(name, rule, by_rule[rule], validated, lookup) for rule in by_rule]
    return found


def _of_split(validated: Validated, rule: str, expected: str, seen: str) -> Finding:
    return Finding(validated.table, validated.split, "*", rule, expected, seen)


def _finding(name: str, rule: str, reason: Any, validated: Validated, lookup: Lookup) -> Finding:
    declared = {feature.name: feature for feature in validated.schema.feature}.get(name)
    described = feature_statistics.by_name(validated.statistics).get(
        name, statistics_pb2.FeatureNameStatistics()
    )
    place = (validated.table, validated.split, name)
    if declared is None or not rule:
        return Finding(*place, reason.short_description, "what the schema says", reason.description)
    breach = schema_rules.breach(rule, declared, validated.schema)
    return Finding(
        *place,
        rule,
        _expected(rule, declared, validated.schema),
        _seen(rule, described, set(schema_rules.domain(declared, validated.schema))),
        tuple(lookup(name, breach)),
    )


def _expected(rule: str, feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    match rule:
        case "domain":
            return schema_rules.one_of(feature, schema)
        case "presence":
            return schema_rules.presence(feature)
        case "valency":
            return schema_rules.valency(feature)
        case "range":
            return schema_rules.numbers(feature)
    return "finite numbers"


def _seen(rule: str, feature: statistics_pb2.FeatureNameStatistics, allowed: set[str]) -> str:
    common, numbers = feature_statistics.common(feature), feature.num_stats
    match rule:
        case "domain":
            others = {
                v: n for v, n in feature_statistics.counts(feature).items() if v not in allowed
            }
            top = ", ".join(
                f"{value!r} {n:,.0f} times" for value, n in list(others.items())[:_SHOWN]
            )
            total = common.tot_num_values
            return f"{top} ({sum(others.values()):,.0f} of {total:,} values are others)"
        case "presence":
            examined = common.num_non_missing + common.num_missing
            fraction = feature_statistics.present_fraction(feature)
            return f"{schema_rules.percent(fraction)} ({common.num_non_missing:,} of {examined:,})"
        case "valency":
            return f"{common.min_num_values} to {common.max_num_values} values"
        case "range":
            return f"numbers from {numbers.min:,.6g} to {numbers.max:,.6g}"
    missing = sum(histogram.num_nan for histogram in numbers.histograms[:1])
    return f"{missing:,} NaN, and numbers from {numbers.min:,.6g} to {numbers.max:,.6g}"
