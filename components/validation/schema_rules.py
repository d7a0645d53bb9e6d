"""Descriptions of a schema's rules, and tests that find the values that break them."""

import math
from collections.abc import Callable
from typing import Any

from tensorflow_metadata.proto.v0 import schema_pb2

_FEW = 6
_SHOWN = 3

BreachTest = Callable[[list[Any] | None], str]
"""Values of one Example (None for a missing feature) -> the values that break a rule, or ""."""


def describe_presence(feature: schema_pb2.Feature) -> str:
    """Describes the expected share of Examples with the feature."""
    if feature.presence.min_fraction:
        return (
            f"a value in at least {format_percent(feature.presence.min_fraction)} of the Examples"
        )
    return f"a value in at least {feature.presence.min_count} Examples"


def describe_valency(feature: schema_pb2.Feature) -> str:
    """Describes the expected number of values per Example."""
    least, most = read_value_counts(feature)
    if least == most:
        return f"exactly {least} value{'s' * (least != 1)} each"
    return f"{least} to {most} values each" if most < math.inf else f"at least {least} values each"


def read_value_counts(feature: schema_pb2.Feature) -> tuple[float, float]:
    """Returns the minimum and maximum number of values of an Example that has the feature."""
    if feature.HasField("shape"):
        size = math.prod(dim.size for dim in feature.shape.dim)
        return size, size
    return feature.value_count.min, feature.value_count.max or math.inf


def read_value_range(feature: schema_pb2.Feature) -> tuple[float, float]:
    """Returns the smallest and largest allowed number; infinite if the schema has no bound."""
    kind = "int_domain" if feature.HasField("int_domain") else "float_domain"
    domain = getattr(feature, kind)
    low = domain.min if domain.HasField("min") else -math.inf
    return low, domain.max if domain.HasField("max") else math.inf


def describe_range(feature: schema_pb2.Feature) -> str:
    """Describes the expected range of numbers."""
    low, high = read_value_range(feature)
    if high == math.inf:
        return f"numbers of at least {low:,.6g}"
    if low == -math.inf:
        return f"numbers of at most {high:,.6g}"
    return f"numbers from {low:,.6g} to {high:,.6g}"


def list_domain(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> list[str]:
    """Returns the allowed strings; empty if the feature has no string domain."""
    if feature.HasField("string_domain"):
        return list(feature.string_domain.value)
    named = {each.name: each for each in schema.string_domain}
    return list(named[feature.domain].value) if feature.domain in named else []


def describe_domain(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    """Describes the allowed strings; it lists only the first few."""
    allowed = list_domain(feature, schema)
    more = f", … ({len(allowed)} values)" if len(allowed) > _FEW else ""
    mass = feature.distribution_constraints.min_domain_mass
    share = f" in at least {format_percent(mass)} of the values" if mass < 1 else ""
    return "one of " + ", ".join(map(repr, allowed[:_FEW])) + more + share


def build_breach_test(
    rule: str, feature: schema_pb2.Feature, schema: schema_pb2.Schema
) -> BreachTest:
    """Returns the test of one Example for `rule`: domain, presence, valency, range or finite."""
    allowed = set(list_domain(feature, schema))
    least, most = read_value_counts(feature)
    low, high = read_value_range(feature)
    if rule == "presence":
        return lambda values: "" if values else "no value"
    if rule == "valency":
        return lambda values: (
            "" if values is None or least <= len(values) <= most else f"{len(values)} values"
        )
    wrong: dict[str, Callable[[Any], bool]] = {
        "domain": lambda value: format_value(value) not in allowed,
        "range": lambda value: value < low or value > high,
        "finite": lambda value: not math.isfinite(value),
    }
    return lambda values: _format_first([value for value in values or () if wrong[rule](value)])


def _format_first(values: list[Any]) -> str:
    return ", ".join(map(format_value, values[:_SHOWN])) + (", …" if len(values) > _SHOWN else "")


def format_percent(fraction: float) -> str:
    """Formats `fraction` in percent, with up to four significant digits."""
    return f"{100 * fraction:.4g} %"


def format_value(value: Any) -> str:
    """Formats a value for people."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
