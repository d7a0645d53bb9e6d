"""The fields of a table that the configuration declares: ids, times, labels and features."""

import functools

from components.ingest.fields.feature_fields import (
    build_feature_fields,
    build_optional,
    build_text,
)
from components.ingest.fields.ids import convert_hashed_ids, convert_ids
from components.ingest.fields.kinds import (
    convert_availability,
    convert_texts,
)
from components.ingest.fields.label_fields import build_label_fields
from components.ingest.fields.rows.item_lists import convert_item_lists, keep_lists
from components.ingest.fields.table_spec import HISTORY, ITEM_ID, MOMENT, PROPERTY, VALUE, Field
from components.ingest.fields.time_hints import describe_notation
from components.ingest.fields.timestamps import (
    TimeNotation,
    convert_timestamps,
    mark_without_time,
)
from components.ingest.read.records import MISSING_ITEM_ID, MISSING_PROPERTY, MISSING_USER_ID
from schema import timeline
from schema.dataset import Dataset
from schema.sources import Data, InteractionsSource, TimeOptions, name_table


def build_interaction_fields(dataset: Dataset, number: int = 0) -> list[Field]:
    """Returns the fields user_id, item_id, moment, positive, weight (if the labels have weights),
    label_*, shown and HISTORY (if the log has them) and context_* of the log's table `number`. Of
    an event of an ignored kind, positive is null.
    """
    source = dataset.data.event_tables[number]
    at = f"data.{name_table('interactions', number)}"
    user_id = _build_user_id(dataset, source.user_columns, f"{at}.user_id")
    latest = None if source.not_after is None else source.not_after.timestamp()
    fields = [
        user_id,
        _build_id(ITEM_ID, source.item_id, MISSING_ITEM_ID, f"{at}.item_id"),
    ]
    if source.has_order:
        fields.append(_build_moment(source, f"{at}.timestamp", latest))
    else:  # it reads the column of `user_id`, which every table has
        fields.append(user_id._replace(name=MOMENT, convert=mark_without_time, others=()))
    fields += build_label_fields(dataset.labels, user_id)
    fields += _build_item_lists(dataset.data, source, at, user_id)
    return fields + build_feature_fields(
        dataset.features.context, timeline.name_context, "features.context"
    )


def _build_item_lists(
    data: Data, source: InteractionsSource, at: str, user_id: Field
) -> list[Field]:
    """SHOWN and HISTORY, if a table of the log has them; in the other tables they are null."""
    fields = []
    nowhere = user_id._replace(convert=keep_lists, others=())
    if data.has_impressions:
        shown = nowhere._replace(name=timeline.SHOWN)
        if source.impressions is not None:
            key = f"{at}.impressions.shown"
            shown = Field(timeline.SHOWN, source.impressions.shown, keep_lists, key)
        fields.append(shown)
    if data.has_earlier_histories:
        history = nowhere._replace(name=HISTORY)
        if source.history is not None:
            convert = functools.partial(convert_item_lists, separator=source.history.separator)
            key = f"{at}.history.column"
            history = build_optional(HISTORY, source.history.column, convert, key, "a list of ids")
        fields.append(history._replace(holds="text"))
    return fields


def _build_moment(source: TimeOptions, key: str, not_after: float | None = None) -> Field:
    origin = 0 if source.timestamp_origin is None else int(source.timestamp_origin.timestamp())
    notation = TimeNotation(source.timestamp_unit, source.timestamp_format, source.timezone, origin)
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
        build_optional(
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
        fields.append(build_text(timeline.TITLE, source.title, convert_texts, key))
    if source.available is not None:
        key = f"{at}.available"
        available = Field(timeline.AVAILABLE, source.available, convert_availability, key)
        is_long = source.properties is not None
        available = available._replace(expects="1 or true, 0 or false")
        fields.append(available._replace(optional=is_long, absent=1))
    return fields + build_feature_fields(
        dataset.features.items, timeline.name_item_feature, "features.items"
    )


def build_user_fields(dataset: Dataset, number: int = 0) -> list[Field]:
    """Returns the fields user_id and user_* of the user table `number`, which must exist."""
    source, at = dataset.data.user_tables[number], f"data.{name_table('users', number)}"
    key = _build_user_id(dataset, [source.user_id], f"{at}.user_id")
    return [
        key,
        *build_feature_fields(dataset.features.users, timeline.name_user_feature, "features.users"),
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
