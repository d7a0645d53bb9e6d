"""What the models learn: which events are positive, and which columns are ranking labels."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from schema.base import Strict
from schema.features import Name
from schema.signatures import RELEVANCE, RETRIEVAL


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


FINAL = "final"
"""The lists as they are served, beside `retrieval` and the labels, where a metric says of what."""
_RESERVED = (RELEVANCE, RETRIEVAL, FINAL)


def _not_reserved(name: str) -> str:
    """`relevance` is a head that every ranking model has; thresholds speak of `retrieval`, `final`
    and the labels.
    """
    if name in _RESERVED:
        raise ValueError(
            f"expected another name for a label: {', '.join(_RESERVED)} are Tandem's own, "
            f'received {name!r}; rename it, column = "{name}" may stay'
        )
    return name


LabelName = Annotated[Name, AfterValidator(_not_reserved)]


class Labels(Strict):
    """All labels. Without `positive` every event is positive."""

    positive: Positive | None = None
    """Which events retrieval learns from; all of them where absent."""
    ranking: dict[LabelName, RankingLabel] = {}
    """Ranking heads by name; `relevance`, `retrieval` and `final` are Tandem's own."""


class Split(Strict):
    """Which events the models learn from (train), are tuned by (valid) and are judged by (test)."""

    kind: Literal["clock", "last_item", "window"] = "clock"
    """`clock`: one global clock, the last events are test, those before them valid, the rest train.
    `window`: the same clock in whole days, counted back from the end of the log. `last_item`: of
    each user with three events or more the last is test and the one before it valid, whatever
    others did at that time."""
    valid_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """`clock`: share of all accepted events in the valid split."""
    test_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """`clock`: share of all accepted events in the test split."""
    train_days: Annotated[int | None, Field(ge=1)] = None
    """`window`: days (UTC) in the train split; events before them are read as history only."""
    valid_days: Annotated[int | None, Field(ge=1)] = None
    """`window`: days after those, in the valid split."""
    test_days: Annotated[int | None, Field(ge=1)] = None
    """`window`: the last days, in the test split; the very last is that of the latest event."""

    @model_validator(mode="after")
    def _keys_fit_kind(self) -> "Split":
        days = (self.train_days, self.valid_days, self.test_days)
        if self.kind == "window" and None in days:
            raise ValueError('kind = "window" needs train_days, valid_days and test_days')
        if self.kind != "window" and days != (None, None, None):
            raise ValueError(f'days go with kind = "window", received kind = "{self.kind}"')
        if self.kind != "clock" and (self.valid_fraction, self.test_fraction) != (0.1, 0.1):
            raise ValueError(f'fractions go with kind = "clock", received kind = "{self.kind}"')
        return self
