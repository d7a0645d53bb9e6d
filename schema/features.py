"""Feature kinds, and the declaration of a feature."""

from typing import Annotated, Literal, Union

from pydantic import AfterValidator, Field, model_validator

from schema.base import StrictModel
from schema.time_notation import TimePattern, TimeUnit, TimeZone


class _FeatureBase(StrictModel):
    column: str | None = None
    """Column of the feature; if absent, the column has the feature's name."""


class Category(_FeatureBase):
    """One value of a vocabulary, which is built from the training data."""

    kind: Literal["category"]
    min_count: Annotated[int, Field(ge=1)] = 1
    """A value that occurs less often is treated as unknown."""


class Set(_FeatureBase):
    """Any number of values of a vocabulary, in one column, joined by a separator."""

    kind: Literal["set"]
    separator: Annotated[str, Field(min_length=1)] = "|"
    """Separator between two values (not used for columns that hold lists)."""
    min_count: Annotated[int, Field(ge=1)] = 1
    """A value that occurs less often is treated as unknown."""


class Text(_FeatureBase):
    """Free text, split into words by tensorflow-text inside the graph."""

    kind: Literal["text"]
    min_count: Annotated[int, Field(ge=1)] = 2
    """A word that occurs less often is treated as unknown."""


class Number(_FeatureBase):
    """A finite number, standardised with the mean and variance of the training data."""

    kind: Literal["number"]


class Timestamp(_FeatureBase):
    """A point in time; requests to the server give it in seconds since epoch, UTC."""

    kind: Literal["timestamp"]
    unit: TimeUnit = "s"
    """Unit in the table, as `data.interactions.timestamp_unit`."""
    format: TimePattern | None = None
    """Pattern of the text in the table, as `data.interactions.timestamp_format`."""
    timezone: TimeZone | None = None
    """Zone of times that state none, as `data.interactions.timezone`."""

    @model_validator(mode="after")
    def _require_one_notation(self) -> "Timestamp":
        if self.format is not None and self.unit != "s":
            raise ValueError("expected unit or format, received both; remove one of them")
        return self


class Vector(_FeatureBase):
    """A precomputed embedding: one column with lists of exactly `size` finite numbers (JSON lists
    in delimited text), or one column per number.
    """

    kind: Literal["vector"]
    size: Annotated[int, Field(ge=1)]
    """Length of the vector."""
    columns: list[str] | None = None
    """The `size` columns of the numbers, in order, if each number has its own column."""

    @model_validator(mode="after")
    def _require_vector_columns(self) -> "Vector":
        if self.columns is not None and self.column is not None:
            raise ValueError("expected column or columns, received both; remove one of them")
        if self.columns is not None and len(self.columns) != self.size:
            raise ValueError(
                f"expected size = {self.size} columns, received {len(self.columns)}; "
                "fix size or columns"
            )
        return self


Feature = Annotated[
    Union[Category, Set, Text, Number, Timestamp, Vector],
    Field(discriminator="kind"),
]

EventFeature = Annotated[Union[Category, Number, Timestamp], Field(discriminator="kind")]


_RESERVED = ("id", "ids", "index")


def _reject_reserved(name: str) -> str:
    """Rejects names that would give a field of `schema.timeline`, such as `item_id`."""
    if name in _RESERVED:
        raise ValueError(
            f"expected another name: {', '.join(_RESERVED)} are reserved, received {name!r}; "
            f'rename the feature, column = "{name}" can stay'
        )
    return name


Name = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=63), AfterValidator(_reject_reserved)
]


class Features(StrictModel):
    """Features by table."""

    items: dict[Name, Feature] = {}
    """Features of the catalogue."""
    users: dict[Name, Feature] = {}
    """Features of the optional user table."""
    context: dict[Name, EventFeature] = {}
    """Features of the event, such as device, page or hour; one value each."""
