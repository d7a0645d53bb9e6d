"""The fields of declared features, and of other optional columns."""

import functools
from collections.abc import Callable, Mapping
from typing import Literal

from components.ingest.fields.converted import ConvertedColumn
from components.ingest.fields.kinds import (
    convert_feature,
)
from components.ingest.fields.table_spec import Field
from components.ingest.fields.time_hints import describe_notation
from components.ingest.fields.timestamps import (
    TimeNotation,
    convert_seconds,
)
from components.ingest.fields.vectors import convert_columns, convert_lists
from schema.features import Feature, Set, Timestamp, Vector


def build_feature_fields(
    features: Mapping[str, Feature],
    named: Callable[[str], str],
    section: str,
) -> list[Field]:
    """Builds the fields of `features`.

    Args:
        features: Features by name.
        named: Name of a feature -> name of its field.
        section: Section of the configuration that declares them, for messages.
    """
    return [
        build_optional(
            named(name),
            first,
            _choose_converter(feature),
            f"{section}.{name}",
            _describe_expected(feature),
        )._replace(
            others=tuple(others), notation=_get_notation(feature), holds=_find_content(feature)
        )
        for name, feature in features.items()
        for first, *others in [_list_columns(name, feature)]
    ]


def build_optional(
    name: str, column: str, convert: Callable[..., ConvertedColumn], key: str, expects: str
) -> Field:
    """Builds a field whose unreadable values count as missing; the arguments are those of Field."""
    return Field(name, column, convert, key, expects=expects, optional=True)


def build_number(
    name: str, column: str, convert: Callable[..., ConvertedColumn], key: str
) -> Field:
    """Builds an optional field of numbers."""
    return build_optional(name, column, convert, key, "a number")._replace(holds="number")


def build_text(name: str, column: str, convert: Callable[..., ConvertedColumn], key: str) -> Field:
    """Builds an optional field of texts."""
    return build_optional(name, column, convert, key, "a text")._replace(holds="text")


def _describe_expected(feature: Feature) -> str:
    if isinstance(feature, Vector):
        return f"a list of {feature.size} numbers" if feature.columns is None else "numbers in all"
    if isinstance(feature, Set):
        return f"a list of texts, or a text with {feature.separator!r} between them"
    notation = _get_notation(feature)
    if notation is not None:
        return describe_notation(notation).removesuffix(", from 1990 to 2099")
    return "a number" if feature.kind == "number" else "a text or a number"


def _get_notation(feature: Feature) -> TimeNotation | None:
    if not isinstance(feature, Timestamp):
        return None
    return TimeNotation(feature.unit, feature.format, feature.timezone)


def _find_content(feature: Feature) -> Literal["text", "number", "other"]:
    if isinstance(feature, Vector):
        return "other" if feature.columns is None else "number"
    if feature.kind == "timestamp":
        return "other"
    return "number" if feature.kind == "number" else "text"


def _choose_converter(feature: Feature) -> Callable[..., ConvertedColumn]:
    if isinstance(feature, Vector):
        if feature.columns is not None:
            return convert_columns
        return functools.partial(convert_lists, size=feature.size)
    notation = _get_notation(feature)
    if notation is not None:
        return functools.partial(convert_seconds, notation=notation)
    return functools.partial(convert_feature, feature=feature)


def _list_columns(name: str, feature: Feature) -> list[str]:
    if isinstance(feature, Vector) and feature.columns is not None:
        return feature.columns
    return [feature.column or name]
