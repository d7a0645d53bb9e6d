"""Description of the user's data for ingestion and training: tables, features, labels, split."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from schema.base import StrictModel
from schema.errors import ConfigError
from schema.features import Feature, Features, Name
from schema.signatures import RELEVANCE, RETRIEVAL
from schema.sources import Data


def require_tables(features: Features, data: Data) -> None:
    """Raises ValueError if user features are declared and there is no user table."""
    if features.users and data.users is None:
        raise ValueError(
            f"features.users ({', '.join(features.users)}) expects a [data.users] table, "
            "received none; add the table or remove the features"
        )


def require_filter(features: Features, data: Data) -> None:
    """Raises ValueError unless `data.items.filter` is None or names an item feature with
    categories.
    """
    name = data.items.filter
    valid = [each for each, feature in features.items.items() if _has_categories(feature)]
    if name is not None and name not in valid:
        raise ValueError(
            "data.items.filter expects one of features.items of kind category or set "
            f"({', '.join(valid) or 'there is none'}), received {name!r}; "
            "fix the name, or declare the feature"
        )


def _has_categories(feature: Feature) -> bool:
    return feature.kind in ("category", "set")


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


class Split(StrictModel):
    """Which events are used for training (train), tuning (valid) and evaluation (test)."""

    kind: Literal["clock", "last_item", "window"] = "clock"
    """`clock`: one global time order; the last events are test, those before them valid, the rest
    train. `window`: the same order, in whole days counted back from the end of the log.
    `last_item`: for each user with at least three events, the last event is test and the one before
    it valid, independently of when other users' events happened."""
    valid_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """`clock`: share of all accepted events in the valid split."""
    test_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """`clock`: share of all accepted events in the test split."""
    train_days: Annotated[int | None, Field(ge=1)] = None
    """`window`: days (UTC) in the train split; events before them are read as history only."""
    valid_days: Annotated[int | None, Field(ge=1)] = None
    """`window`: days in the valid split, directly after the train split."""
    test_days: Annotated[int | None, Field(ge=1)] = None
    """`window`: days in the test split; the last one is the day of the latest event, not counting
    outliers in time (see `data.interactions.time_outliers`)."""

    @model_validator(mode="after")
    def _require_fitting_keys(self) -> "Split":
        days = (self.train_days, self.valid_days, self.test_days)
        if self.kind == "window" and None in days:
            raise ValueError('kind = "window" needs train_days, valid_days and test_days')
        if self.kind != "window" and days != (None, None, None):
            raise ValueError(f'days go with kind = "window", received kind = "{self.kind}"')
        if self.kind != "clock" and (self.valid_fraction, self.test_fraction) != (0.1, 0.1):
            raise ValueError(f'fractions go with kind = "clock", received kind = "{self.kind}"')
        return self


class Dataset(StrictModel):
    """Tables, features, labels and split. Components receive it as JSON."""

    data: Data
    """Tables."""
    features: Features = Features()
    """Features."""
    labels: Labels = Labels()
    """Labels."""
    split: Split = Split()
    """Split."""

    @model_validator(mode="after")
    def _require_tables(self) -> "Dataset":
        require_tables(self.features, self.data)
        return self

    @model_validator(mode="after")
    def _require_filter(self) -> "Dataset":
        require_filter(self.features, self.data)
        return self

    def select_span(self, span: str) -> "Dataset":
        """Returns a copy in which every table with a `{SPAN}` path reads `span`; for "" it returns
        this object.

        Raises ConfigError if `span` is malformed, or if no table has a `{SPAN}` path.
        """
        if not span:
            return self
        sources = {"interactions": self.data.interactions, "items": self.data.items}
        if self.data.users is not None:
            sources["users"] = self.data.users
        if not any(source.comes_in_spans for source in sources.values()):
            raise ConfigError(
                f"expected no span, since no path of [data] contains {{SPAN}}, received {span!r}; "
                "write {SPAN} in place of the date or number, or omit the span"
            )
        try:
            updated = {name: source.select_span(span) for name, source in sources.items()}
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise ConfigError(
                "expected a span such as 2024-01-31, 7 or 2024-01-01..2024-01-31, "
                f"received {span!r}: {reason}"
            ) from error
        return self.model_copy(update={"data": self.data.model_copy(update=updated)})


FINAL = "final"
"""Metric key of the lists as they are served; the other keys are `retrieval` and the labels."""

_RESERVED = (RELEVANCE, RETRIEVAL, FINAL)
