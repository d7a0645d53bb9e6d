"""The rules of a schema in words: what one expects, and which values break it."""

import math
from collections.abc import Callable
from typing import Any

from tensorflow_metadata.proto.v0 import schema_pb2

_FEW = 6
_SHOWN = 3

BreachTest = Callable[[list[Any] | None], str]
"""Values of one Example (None where it has none) -> what of them breaks a rule; "" for nothing."""


def describe_presence(feature: schema_pb2.Feature) -> str:
    """Expected share of Examples."""
    if feature.presence.min_fraction:
        return (
            f"a value in at least {format_percent(feature.presence.min_fraction)} of the Examples"
        )
    return f"a value in at least {feature.presence.min_count} Examples"


def describe_valency(feature: schema_pb2.Feature) -> str:
    """Expected number of values an Example."""
    least, most = read_value_counts(feature)
    if least == most:
        return f"exactly {least} value{'s' * (least != 1)} each"
    return f"{least} to {most} values each" if most < math.inf else f"at least {least} values each"


def read_value_counts(feature: schema_pb2.Feature) -> tuple[float, float]:
    """Fewest and most values that an Example may have, where it has any."""
    if feature.HasField("shape"):
        size = math.prod(dim.size for dim in feature.shape.dim)
        return size, size
    return feature.value_count.min, feature.value_count.max or math.inf


def read_value_range(feature: schema_pb2.Feature) -> tuple[float, float]:
    """Smallest and largest number; infinite where the schema has no bound."""
    kind = "int_domain" if feature.HasField("int_domain") else "float_domain"
    domain = getattr(feature, kind)
    low = domain.min if domain.HasField("min") else -math.inf
    return low, domain.max if domain.HasField("max") else math.inf


def describe_range(feature: schema_pb2.Feature) -> str:
    """Expected range."""
    low, high = read_value_range(feature)
    if high == math.inf:
        return f"numbers of at least {low:,.6g}"
    if low == -math.inf:
        return f"numbers of at most {high:,.6g}"
    return f"numbers from {low:,.6g} to {high:,.6g}"


def list_domain(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> list[str]:
    """Allowed texts; empty where there is no list of them."""
    if feature.HasField("string_domain"):
        return list(feature.string_domain.value)
    named = {each.name: each for each in schema.string_domain}
    return list(named[feature.domain].value) if feature.domain in named else []


def describe_domain(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    """Expected texts, the first few of them."""
    allowed = list_domain(feature, schema)
    more = f", … ({len(allowed)} values)" if len(allowed) > _FEW else ""
    mass = feature.distribution_constraints.min_domain_mass
    share = f" in at least {format_percent(mass)} of the values" if mass < 1 else ""
    return "one of " + ", ".join(map(repr, allowed[:_FEW])) + more + share


def build_breach_test(
    rule: str, feature: schema_pb2.Feature, schema: schema_pb2.Schema
) -> BreachTest:
    """The test of one Example by `rule`: domain, presence, valency, range or finite."""
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
    """`fraction` in percent, with no more digits than it has."""
    return f"{100 * fraction:.4g} %"


def format_value(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
