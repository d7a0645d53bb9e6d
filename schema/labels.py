"""Which events are positive examples, and the labels of the ranking model."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from schema.base import StrictModel
from schema.features import Name
from schema.signatures import RELEVANCE, RETRIEVAL

FINAL = "final"
"""Metric key of the lists as they are served; the other keys are `retrieval` and the labels."""

_RESERVED = (RELEVANCE, RETRIEVAL, FINAL)


Values = Annotated[list[str], Field(min_length=1)]


class Positive(StrictModel):
    """The rule that makes an event a positive example of retrieval; it has `at_least` or `is_in`.
    Other events are part of the history only.
    """

    column: str
    """Column of the event log."""
    at_least: float | None = None
    """The event is positive when the value is a number greater than or equal to this."""
    is_in: Values | None = None
    """The event is positive when the value, as text, is one of these, such as `["addtocart",
    "transaction"]`; a boolean is `true` or `false`, in upper or lower case."""

    @model_validator(mode="after")
    def _require_one_condition(self) -> "Positive":
        if (self.at_least is None) == (self.is_in is None):
            received = "neither" if self.is_in is None else "both"
            raise ValueError(
                f"labels.positive expects one of at_least and is_in, received {received}"
            )
        return self


class RankingLabel(StrictModel):
    """One head of the ranking model."""

    column: str
    """Column of the event log, numeric unless `is_in` is set."""
    kind: Literal["regression", "binary"]
    """`regression` predicts the number; `binary` predicts whether the value reaches `at_least` or
    is one of `is_in`."""
    at_least: float = 1.0
    """For `binary`: the label is 1 when the value is greater than or equal to this."""
    is_in: Values | None = None
    """For `binary`, instead of `at_least`: the label is 1 when the value, as text, is one of these,
    and 0 for any other value; an event without a value has no label. A boolean is `true` or
    `false`, in upper or lower case."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """Weight of the head's loss."""

    @model_validator(mode="after")
    def _require_fitting_condition(self) -> "RankingLabel":
        if self.is_in is not None and (self.kind != "binary" or self.at_least != 1.0):
            raise ValueError(
                'is_in goes with kind = "binary" and without at_least, received '
                f'kind = "{self.kind}", at_least = {self.at_least:g}'
            )
        return self


def _reject_reserved(name: str) -> str:
    """Rejects reserved names: every ranking model has a head `relevance`, and the keys of
    thresholds are `retrieval`, `final` and the labels.
    """
    if name in _RESERVED:
        raise ValueError(
            f"expected another name for a label: {', '.join(_RESERVED)} are reserved, "
            f'received {name!r}; rename the label, column = "{name}" can stay'
        )
    return name


LabelName = Annotated[Name, AfterValidator(_reject_reserved)]


class Labels(StrictModel):
    """All labels. Without `positive`, every event is a positive example."""

    positive: Positive | None = None
    """Which events are positive examples for retrieval; all events if absent."""
    ranking: dict[LabelName, RankingLabel] = {}
    """Ranking heads by name; `relevance`, `retrieval` and `final` are reserved."""
