"""Feature kinds, and the declaration of one feature."""

from typing import Annotated, Literal, Union

from pydantic import AfterValidator, Field, model_validator

from schema.base import StrictModel


class _FeatureBase(StrictModel):
    column: str | None = None
    """Column that holds the feature; the feature's own name where absent."""


class Category(_FeatureBase):
    """One value out of a vocabulary that is counted on the training data."""

    kind: Literal["category"]
    min_count: Annotated[int, Field(ge=1)] = 1
    """A value seen less often shares the place of unknown values."""


class Set(_FeatureBase):
    """Any number of values out of a vocabulary, in one column joined by a separator."""

    kind: Literal["set"]
    separator: Annotated[str, Field(min_length=1)] = "|"
    """What stands between two values (not used for columns that hold lists)."""
    min_count: Annotated[int, Field(ge=1)] = 1
    """A value seen less often shares the place of unknown values."""


class Text(_FeatureBase):
    """Free text, split into words by tensorflow-text inside the graph."""

    kind: Literal["text"]
    min_count: Annotated[int, Field(ge=1)] = 2
    """A word seen less often shares the place of unknown words."""


class Number(_FeatureBase):
    """A finite number; standardised on the training data."""

    kind: Literal["number"]


class Timestamp(_FeatureBase):
    """A moment, seconds since epoch, UTC."""

    kind: Literal["timestamp"]


class Vector(_FeatureBase):
    """An embedding made elsewhere: one column with lists of exactly `size` finite numbers (in
    delimited text each list as JSON), or a column for each number.
    """

    kind: Literal["vector"]
    size: Annotated[int, Field(ge=1)]
    """Length of the vector."""
    columns: list[str] | None = None
    """Where each number has a column of its own: these, `size` of them, in order."""

    @model_validator(mode="after")
    def _require_vector_columns(self) -> "Vector":
        if self.columns is not None and self.column is not None:
            raise ValueError("expected column or columns, received both; keep the one that is so")
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
    """`item_id`, `user_index` and the like are names of the contract itself, see
    schema.timeline.
    """
    if name in _RESERVED:
        raise ValueError(
            f"expected another name: {', '.join(_RESERVED)} are Tandem's own, received {name!r}; "
            f'rename it, column = "{name}" may stay'
        )
    return name


Name = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=63), AfterValidator(_reject_reserved)
]


class Features(StrictModel):
    """Features by the table that they come from."""

    items: dict[Name, Feature] = {}
    """Features of the catalogue."""
    users: dict[Name, Feature] = {}
    """Features of the optional user table."""
    context: dict[Name, EventFeature] = {}
    """Features of the event: device, page, hour; one value each."""
