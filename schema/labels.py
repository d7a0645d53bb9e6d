"""Which events are positive examples, and the labels of the ranking model."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from schema.base import StrictModel
from schema.features import Name
from schema.signatures import RELEVANCE, RETRIEVAL

FINAL = "final"
"""Metric key of the lists as they are served; the other keys are `retrieval` and the labels."""

_RESERVED = (RELEVANCE, RETRIEVAL, FINAL)


class Positive(StrictModel):
    """The rule that makes an event a positive example of retrieval."""

    column: str
    """Numeric column of the event log."""
    at_least: float
    """The event is positive when the value is greater than or equal to this."""


class RankingLabel(StrictModel):
    """One head of the ranking model."""

    column: str
    """Numeric column of the event log."""
    kind: Literal["regression", "binary"]
    """`regression` predicts the number; `binary` predicts whether it reaches `at_least`."""
    at_least: float = 1.0
    """For `binary`: the label is 1 when the value is greater than or equal to this."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """Weight of the head's loss."""


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
