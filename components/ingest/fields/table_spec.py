"""Which columns of a table become which fields, and how."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from components.ingest import hashed_ids, moment_hints
from components.ingest.fields import kinds, timestamps, vectors
from components.ingest.fields.kinds import Converted
from components.ingest.rejection import MISSING_ITEM_ID, MISSING_USER_ID
from schema import timeline
from schema.dataset import Dataset
from schema.features import Feature, Set, Vector
from schema.sources import InteractionsSource

# One event's share of the parallel lists that `schema.timeline` describes.
ITEM_ID = timeline.ITEM_ID
TIMESTAMP = "timestamp"
MOMENT = "moment"
"""Nanoseconds since epoch, UTC, of an event that is not yet put in order; TIMESTAMP afterwards."""


class Field(NamedTuple):
    """One field of an accepted record."""

    name: str
    """Its name from here on."""
    column: str
    """The user's column that it is made from."""
    convert: Callable[..., Converted]
    """Values of each column -> the field. The reason of the first field that refuses counts."""
    key: str
    """The configuration key that names the column."""
    others: tuple[str, ...] = ()
    """Further columns, of a vector that has one for each of its numbers."""
    expects: str = "an id: text or a whole number"
    """What is accepted, for messages."""
    optional: bool = False
    """Whether an unreadable value is an absent one; it refuses the record otherwise."""
    absent: Any = None
    """What stands for a value that is optional and unreadable."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All the columns that it is made from."""
        return (self.column, *self.others)


def of_interactions(dataset: Dataset) -> list[Field]:
    """user_id, item_id, moment, positive, label_*, context_*."""
    source, labels, at = dataset.data.interactions, dataset.labels, "data.interactions"
    rule = labels.positive
    fields = [
        _user_id(dataset, source.user_id, f"{at}.user_id"),
        _id(ITEM_ID, source.item_id, MISSING_ITEM_ID, f"{at}.item_id"),
        Field(
            MOMENT,
            source.timestamp,
            _moments(source),
            f"{at}.timestamp",
            expects=moment_hints.ACCEPTED[source.timestamp_unit],
        ),
    ]
    if rule is None:
        always = Field(timeline.POSITIVE, source.user_id, kinds.always_positive, f"{at}.user_id")
        fields.append(always)
    else:
        reaches = functools.partial(kinds.positives, at_least=rule.at_least)
        key = "labels.positive.column"
        reached = _optional(timeline.POSITIVE, rule.column, reaches, key, "a number")
        fields.append(reached._replace(absent=0))
    for name, label in labels.ranking.items():
        key = f"labels.ranking.{name}.column"
        own = _optional(timeline.label(name), label.column, kinds.numbers, key, "a number")
        fields.append(own)
    return fields + _features(dataset.features.context, timeline.context, "features.context")


def _moments(source: InteractionsSource) -> Callable[..., Converted]:
    convert = functools.partial(timestamps.timestamps, unit=source.timestamp_unit)
    if source.not_after is None:
        return convert
    return functools.partial(convert, latest=source.not_after.timestamp())


def of_items(dataset: Dataset) -> list[Field]:
    """item_id, title and available (where a column is named for them), item_*."""
    source = dataset.data.items
    fields = [_id(timeline.ITEM_ID, source.item_id, MISSING_ITEM_ID, "data.items.item_id")]
    if source.title is not None:
        key = "data.items.title"
        fields.append(_optional(timeline.TITLE, source.title, kinds.texts, key, "a text"))
    if source.available is not None:
        key = "data.items.available"
        said = Field(timeline.AVAILABLE, source.available, kinds.availabilities, key)
        fields.append(said._replace(expects="1 or true, 0 or false"))
    return fields + _features(dataset.features.items, timeline.item, "features.items")


def of_users(dataset: Dataset) -> list[Field]:
    """user_id, user_*. There is a user table."""
    source = dataset.data.users
    assert source is not None, "expected [data.users]"
    key = _user_id(dataset, source.user_id, "data.users.user_id")
    return [key, *_features(dataset.features.users, timeline.user, "features.users")]


def _user_id(dataset: Dataset, column: str, key: str) -> Field:
    place = dataset.data.hash_user_ids
    if place is None:
        return _id(timeline.USER_ID, column, MISSING_USER_ID, key)
    hashed = functools.partial(hashed_ids.identifiers, missing=MISSING_USER_ID, place=place)
    return Field(timeline.USER_ID, column, hashed, key)


def _id(name: str, column: str, missing: str, key: str) -> Field:
    return Field(name, column, functools.partial(kinds.identifiers, missing=missing), key)


def _features(
    features: Mapping[str, Feature],
    named: Callable[[str], str],
    section: str,
) -> list[Field]:
    return [
        _optional(
            named(name), first, _converter(feature), f"{section}.{name}", _expected(feature)
        )._replace(others=tuple(others))
        for name, feature in features.items()
        for first, *others in [_columns(name, feature)]
    ]


def _optional(
    name: str, column: str, convert: Callable[..., Converted], key: str, expects: str
) -> Field:
    return Field(name, column, convert, key, expects=expects, optional=True)


def _expected(feature: Feature) -> str:
    if isinstance(feature, Vector):
        return f"a list of {feature.size} numbers" if feature.columns is None else "numbers in all"
    if isinstance(feature, Set):
        return f"a list of texts, or a text with {feature.separator!r} between them"
    return {"number": "a number", "timestamp": "seconds since 1970, UTC"}.get(
        feature.kind, "a text or a number"
    )


def _converter(feature: Feature) -> Callable[..., Converted]:
    if isinstance(feature, Vector):
        if feature.columns is not None:
            return vectors.of_columns
        return functools.partial(vectors.of_lists, size=feature.size)
    return functools.partial(kinds.feature_values, feature=feature)


def _columns(name: str, feature: Feature) -> list[str]:
    if isinstance(feature, Vector) and feature.columns is not None:
        return feature.columns
    return [feature.column or name]
