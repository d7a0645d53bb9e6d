"""Which events are positive examples, how much they weigh, and the labels of the ranking model."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from schema.base import StrictModel
from schema.features import Name
from schema.signatures import RELEVANCE, RETRIEVAL

FINAL = "final"
"""Metric key of the lists as they are served; the other keys are `retrieval` and the labels."""

_RESERVED = (RELEVANCE, RETRIEVAL, FINAL)


Values = Annotated[list[str], Field(min_length=1)]
PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]


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


class Events(StrictModel):
    """Kinds of events, instead of `labels.positive`: `positive = { addtocart = 2, transaction = 5
    }` and `ignore = ["view"]`. Kinds that neither of them names, and events without a kind, are
    part of the history only; the final output of the run counts them by kind. Kinds are compared
    character by character, without surrounding blanks; a boolean is `true` or `false`.
    """

    column: str
    """Column of the event log with the kind."""
    positive: Annotated[dict[str, PositiveNumber], Field(min_length=1)]
    """Kinds that are positive examples, each with its weight in the losses of retrieval and of
    ranking's order. Only ratios count: weights are scaled to a mean of 1 over train. Popularity and
    evaluation count every positive event once."""
    ignore: list[str] = []
    """Kinds that are not used at all, not even in histories; they are counted as unused, and
    may lack an item or a time."""

    @model_validator(mode="after")
    def _require_distinct_kinds(self) -> "Events":
        both = sorted(self.positive.keys() & set(self.ignore))
        if both:
            raise ValueError(
                f"labels.events expects each kind in one of positive and ignore, received "
                f"{', '.join(map(repr, both))} in both; remove it from one of them"
            )
        return self

    @property
    def has_weights(self) -> bool:
        """Whether the weights differ."""
        return len(set(self.positive.values())) > 1


class CountWeight(StrictModel):
    """Weight of an event that stands for several, such as the plays of a song by a user. It is the
    confidence of Hu, Koren and Volinsky, Collaborative filtering for implicit feedback datasets,
    ICDM 2008, in the losses of retrieval and of ranking's order. Weights are scaled to a mean of 1
    over train. Popularity and evaluation count every event once.
    """

    column: str
    """Column of the event log with the count, 0 or more; an event without one has the weight of
    count 0."""
    damping: Literal["log", "none"] = "log"
    """`log`: the weight is 1 + alpha × ln(1 + count), so that a thousand plays do not outweigh all
    other events; `none`: 1 + alpha × count."""
    alpha: PositiveNumber = 1.0
    """Factor of the count, `α` in the paper."""


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
    weight: PositiveNumber = 1.0
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
    """All labels. Without `positive` and `events`, every event is a positive example."""

    positive: Positive | None = None
    """Which events are positive examples for retrieval; all events if absent."""
    events: Events | None = None
    """The same by kinds of events, with weights, and kinds that are not used."""
    weight: CountWeight | None = None
    """Weight of each event by a count; without it and without weights in `events`, all positive
    events count alike."""
    ranking: dict[LabelName, RankingLabel] = {}
    """Ranking heads by name; `relevance`, `retrieval` and `final` are reserved."""

    @model_validator(mode="after")
    def _require_one_rule(self) -> "Labels":
        if self.events is not None and self.positive is not None:
            raise ValueError(
                "labels expects one of positive and events, which both say which events are "
                "positive, received both; remove one of them"
            )
        if self.events is not None and self.events.has_weights and self.weight is not None:
            raise ValueError(
                "labels expects weights from one of events and weight, received different weights "
                "in labels.events.positive and labels.weight; remove labels.weight, or set all "
                "weights in labels.events.positive to 1"
            )
        return self

    @property
    def has_weights(self) -> bool:
        """Whether events can differ in weight."""
        return self.weight is not None or (self.events is not None and self.events.has_weights)
