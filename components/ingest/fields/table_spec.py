"""Specification of a table: its source, and the columns of its fields."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from components.ingest.fields.converted import ConvertedColumn
from components.ingest.fields.ids import convert_hashed_ids, convert_ids
from components.ingest.fields.kinds import (
    convert_availability,
    convert_feature,
    convert_matches,
    convert_numbers,
    convert_positive_matches,
    convert_positives,
    convert_texts,
    mark_all_positive,
)
from components.ingest.fields.time_hints import describe_notation
from components.ingest.fields.timestamps import (
    TimeNotation,
    convert_seconds,
    convert_timestamps,
)
from components.ingest.fields.vectors import convert_columns, convert_lists
from components.ingest.read.records import MISSING_ITEM_ID, MISSING_PROPERTY, MISSING_USER_ID
from schema import timeline
from schema.dataset import Dataset
from schema.features import Feature, Set, Timestamp, Vector
from schema.labels import Positive, RankingLabel
from schema.sources import Source, TimeOptions, name_table

# One event's share of the parallel lists that `schema.timeline` describes.
ITEM_ID = timeline.ITEM_ID
TIMESTAMP = "timestamp"
MOMENT = "moment"
"""Nanoseconds since epoch, UTC, of an event before sorting, which replaces it with TIMESTAMP."""
# The origin of a record, which decides which of two records with the same id is the later one.
FILE = "file"
LINE = "line"
ROW_GROUP = "row_group"  # of a Parquet file
RAW = "raw"  # its text, for a record that a later rule can reject
ORIGIN = (FILE, LINE, ROW_GROUP, RAW)
PROPERTY = "property"
VALUE = "value"
"""Name and value of an item's property, in a long table of items."""
TABLE = "table"
"""Number of the event's table, int8, if the log has several."""
DETAIL = "detail"
"""Column of rejected records with the explanation."""


class Field(NamedTuple):
    """One field of an accepted record."""

    name: str
    """Name of the field in the accepted records."""
    column: str
    """The user's column."""
    convert: Callable[..., ConvertedColumn]
    """Values of each column -> the field."""
    key: str
    """The configuration key that names the column."""
    others: tuple[str, ...] = ()
    """Other columns: of a vector with one column per number, or of an id with several."""
    expects: str = "an id: text or a whole number"
    """Description of valid values, for messages."""
    optional: bool = False
    """Whether an unreadable value counts as missing; otherwise it rejects the record."""
    absent: Any = None
    """Replacement of an unreadable value of an optional field."""
    notation: TimeNotation | None = None
    """How times are written, of a field of times."""
    holds: Literal["text", "number", "other"] = "other"
    """What the columns contain: `text` is any text, such as ids; `number` is converted with the
    source's number form; `other` is times and booleans."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the field."""
        return (self.column, *self.others)


def build_interaction_fields(dataset: Dataset, number: int = 0) -> list[Field]:
    """Returns the fields user_id, item_id, moment, positive, label_* and context_* of the log's
    table `number`.
    """
    source, labels = dataset.data.event_tables[number], dataset.labels
    at = f"data.{name_table('interactions', number)}"
    user_id = _build_user_id(dataset, source.user_columns, f"{at}.user_id")
    latest = None if source.not_after is None else source.not_after.timestamp()
    fields = [
        user_id,
        _build_id(ITEM_ID, source.item_id, MISSING_ITEM_ID, f"{at}.item_id"),
        _build_moment(source, f"{at}.timestamp", latest),
    ]
    fields.append(_build_positive(labels.positive, user_id))
    fields += [_build_label(name, label) for name, label in labels.ranking.items()]
    return fields + _build_features(
        dataset.features.context, timeline.name_context, "features.context"
    )


def _build_positive(rule: Positive | None, user_id: Field) -> Field:
    """Without a rule it reads the column of `user_id`, which every table has."""
    if rule is None:
        return user_id._replace(name=timeline.POSITIVE, convert=mark_all_positive, others=())
    key = "labels.positive.column"
    if rule.at_least is not None:
        convert = functools.partial(convert_positives, at_least=rule.at_least)
        field = _build_number(timeline.POSITIVE, rule.column, convert, key)
    else:
        assert rule.is_in is not None, "expected at_least or is_in"
        convert = functools.partial(convert_positive_matches, is_in=rule.is_in)
        field = _build_text(timeline.POSITIVE, rule.column, convert, key)
    return field._replace(absent=0)


def _build_label(name: str, label: RankingLabel) -> Field:
    key, own = f"labels.ranking.{name}.column", timeline.name_label(name)
    if label.is_in is None:
        return _build_number(own, label.column, convert_numbers, key)
    return _build_text(
        own, label.column, functools.partial(convert_matches, is_in=label.is_in), key
    )


def _build_moment(source: TimeOptions, key: str, not_after: float | None = None) -> Field:
    notation = TimeNotation(source.timestamp_unit, source.timestamp_format, source.timezone)
    convert = functools.partial(convert_timestamps, notation=notation)
    if not_after is not None:
        convert = functools.partial(convert, latest=not_after)
    return Field(
        MOMENT,
        source.timestamp,
        convert,
        key,
        expects=describe_notation(notation),
        notation=notation,
    )


def build_item_fields(dataset: Dataset, number: int = 0) -> list[Field]:
    """Returns the fields of the catalogue's table `number`: those of `build_attribute_fields`, or
    of a long table item_id, PROPERTY, VALUE and MOMENT.
    """
    source, at = dataset.data.item_tables[number], f"data.{name_table('items', number)}"
    properties = source.properties
    if properties is None:
        return build_attribute_fields(dataset, number)
    at_property = f"{at}.properties"
    return [
        _build_id(ITEM_ID, source.item_id, MISSING_ITEM_ID, f"{at}.item_id"),
        _build_id(PROPERTY, properties.property, MISSING_PROPERTY, f"{at_property}.property"),
        _build_optional(
            VALUE, properties.value, convert_texts, f"{at_property}.value", "a text or a number"
        ),
        _build_moment(properties, f"{at_property}.timestamp"),
    ]


def build_attribute_fields(dataset: Dataset, number: int = 0) -> list[Field]:
    """Returns the fields item_id, title and available (if they have a column) and item_* of the
    catalogue's table `number`. In a long table, an unreadable `available` counts as missing.
    """
    source, at = dataset.data.item_tables[number], f"data.{name_table('items', number)}"
    fields = [_build_id(timeline.ITEM_ID, source.item_id, MISSING_ITEM_ID, f"{at}.item_id")]
    if source.title is not None:
        key = f"{at}.title"
        fields.append(_build_text(timeline.TITLE, source.title, convert_texts, key))
    if source.available is not None:
        key = f"{at}.available"
        available = Field(timeline.AVAILABLE, source.available, convert_availability, key)
        is_long = source.properties is not None
        available = available._replace(expects="1 or true, 0 or false")
        fields.append(available._replace(optional=is_long, absent=1))
    return fields + _build_features(
        dataset.features.items, timeline.name_item_feature, "features.items"
    )


def build_user_fields(dataset: Dataset, number: int = 0) -> list[Field]:
    """Returns the fields user_id and user_* of the user table `number`, which must exist."""
    source, at = dataset.data.user_tables[number], f"data.{name_table('users', number)}"
    key = _build_user_id(dataset, [source.user_id], f"{at}.user_id")
    return [
        key,
        *_build_features(dataset.features.users, timeline.name_user_feature, "features.users"),
    ]


def _build_user_id(dataset: Dataset, columns: list[str], key: str) -> Field:
    column, *others = columns
    field = _build_id(timeline.USER_ID, column, MISSING_USER_ID, key)._replace(others=tuple(others))
    source = dataset.data.hash_user_ids
    if source is None:
        return field
    convert = functools.partial(convert_hashed_ids, missing=MISSING_USER_ID, source=source)
    return field._replace(convert=convert)


def _build_id(name: str, column: str, missing: str, key: str) -> Field:
    convert = functools.partial(convert_ids, missing=missing)
    return Field(name, column, convert, key, holds="text")


def _build_features(
    features: Mapping[str, Feature],
    named: Callable[[str], str],
    section: str,
) -> list[Field]:
    return [
        _build_optional(
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


def _build_optional(
    name: str, column: str, convert: Callable[..., ConvertedColumn], key: str, expects: str
) -> Field:
    return Field(name, column, convert, key, expects=expects, optional=True)


def _build_number(
    name: str, column: str, convert: Callable[..., ConvertedColumn], key: str
) -> Field:
    return _build_optional(name, column, convert, key, "a number")._replace(holds="number")


def _build_text(name: str, column: str, convert: Callable[..., ConvertedColumn], key: str) -> Field:
    return _build_optional(name, column, convert, key, "a text")._replace(holds="text")


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


class TableSpec(NamedTuple):
    """What workers need to read a table."""

    kind: str
    """interactions, items or users."""
    source: Source
    """Files and format."""
    fields: Sequence[Field]
    """Fields of a record; the first one is the id that determines the shard."""
    shards: int
    """Number of shards."""
    origin: tuple[str, ...] = ()
    """Columns of ORIGIN, and TABLE, that accepted records keep."""
    withholds_raw: bool = False
    """Whether to omit the raw text from dead letters and RAW, because it has unhashed ids."""
    number: int = 0
    """Position of the table among those of its kind."""
    properties: frozenset[str] | None = None
    """Properties to keep of a long table of items."""

    @property
    def name(self) -> str:
        """Name of the table's counts and folder of dead letters."""
        return name_table(self.kind, self.number)
