"""The user's data, as ingestion and the trainers receive it: tables, features, labels and split."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from schema.base import StrictModel
from schema.errors import ConfigError
from schema.features import Feature, Features, Name
from schema.signatures import RELEVANCE, RETRIEVAL
from schema.sources import Data


def require_tables(features: Features, data: Data) -> None:
    """Raises ValueError where features are declared of a table that the data do not have."""
    if features.users and data.users is None:
        raise ValueError(
            f"features.users ({', '.join(features.users)}) expects a [data.users] table, "
            "received none; add the table or take the features out"
        )


def require_filter(features: Features, data: Data) -> None:
    """Raises ValueError where `data.items.filter` names no item feature that has categories."""
    name = data.items.filter
    fitting = [each for each, feature in features.items.items() if _has_categories(feature)]
    if name is not None and name not in fitting:
        raise ValueError(
            "data.items.filter expects one of features.items of kind category or set "
            f"({', '.join(fitting) or 'there is none'}), received {name!r}; "
            "fix the name, or declare the feature"
        )


def _has_categories(feature: Feature) -> bool:
    return feature.kind in ("category", "set")


class Positive(StrictModel):
    """The rule that makes an event a positive example of retrieval."""

    column: str
    """Numeric column of the event log."""
    at_least: float
    """The event is positive when the column holds this or more."""


class RankingLabel(StrictModel):
    """One head of the ranking model."""

    column: str
    """Numeric column of the event log."""
    kind: Literal["regression", "binary"]
    """`regression` learns the number; `binary` learns whether it is `at_least`."""
    at_least: float = 1.0
    """For `binary`: the label is 1 when the column holds this or more."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """Weight of the head's loss."""


def _reject_reserved(name: str) -> str:
    """`relevance` is a head that every ranking model has; thresholds speak of `retrieval`, `final`
    and the labels.
    """
    if name in _RESERVED:
        raise ValueError(
            f"expected another name for a label: {', '.join(_RESERVED)} are Tandem's own, "
            f'received {name!r}; rename it, column = "{name}" may stay'
        )
    return name


LabelName = Annotated[Name, AfterValidator(_reject_reserved)]


class Labels(StrictModel):
    """All labels. Without `positive` every event is positive."""

    positive: Positive | None = None
    """Which events retrieval learns from; all of them where absent."""
    ranking: dict[LabelName, RankingLabel] = {}
    """Ranking heads by name; `relevance`, `retrieval` and `final` are Tandem's own."""


class Split(StrictModel):
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
    """`window`: the last days, in the test split; the very last is that of the latest event apart
    from outliers in time (see `data.interactions.time_outliers`)."""

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
    """Tables, features, labels and split. Travels between components as JSON."""

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
        """The same, with every table that comes in spans read at `span`; "" changes nothing.

        Raises ConfigError where `span` is no such thing, and where no table comes in spans.
        """
        if not span:
            return self
        sources = {"interactions": self.data.interactions, "items": self.data.items}
        if self.data.users is not None:
            sources["users"] = self.data.users
        if not any(source.comes_in_spans for source in sources.values()):
            raise ConfigError(
                f"expected no span, for no path of [data] holds {{SPAN}}, received {span!r}; "
                "write {SPAN} where the date or number stands, or leave the span out"
            )
        try:
            moved = {name: source.select_span(span) for name, source in sources.items()}
        except ValidationError as error:
            said = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise ConfigError(
                "expected a span such as 2024-01-31, 7 or 2024-01-01..2024-01-31, "
                f"received {span!r}: {said}"
            ) from error
        return self.model_copy(update={"data": self.data.model_copy(update=moved)})


FINAL = "final"
"""The lists as they are served, beside `retrieval` and the labels, where a metric says of what."""

_RESERVED = (RELEVANCE, RETRIEVAL, FINAL)
