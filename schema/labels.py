"""What the models learn: which events are positive, and which columns are ranking labels."""

from typing import Annotated, Literal

from pydantic import Field

from schema.features import Name
from schema.strict import Strict


class Positive(Strict):
    """The rule that makes an event a positive example of retrieval."""

    column: str
    """Numeric column of the event log."""
    at_least: float
    """The event is positive when the column holds this or more."""


class RankingLabel(Strict):
    """One head of the ranking model."""

    column: str
    """Numeric column of the event log."""
    kind: Literal["regression", "binary"]
    """`regression` learns the number; `binary` learns whether it is `at_least`."""
    at_least: float = 1.0
    """For `binary`: the label is 1 when the column holds this or more."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """Weight of the head's loss."""


class Labels(Strict):
    """All labels. Without `positive` every event is positive."""

    positive: Positive | None = None
    """Which events retrieval learns from; all of them where absent."""
    ranking: dict[Name, RankingLabel] = {}
    """Ranking heads by name."""


class Split(Strict):
    """One global clock: the last events are test, those before them valid, the rest train."""

    valid_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """Share of all accepted events in the valid split."""
    test_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """Share of all accepted events in the test split."""
