"""Description of the user's data for ingestion and training: tables, features, labels, split, and
what may be recommended.
"""

from pydantic import ValidationError, model_validator

from schema.base import StrictModel
from schema.errors import ConfigError
from schema.features import Feature, Features
from schema.labels import Labels
from schema.recommend import Recommend
from schema.sources import Data
from schema.split import Split, require_fitting_split


def require_tables(features: Features, data: Data) -> None:
    """Raises ValueError if features are declared of items or users without a table."""
    for kind in ("items", "users"):
        declared = getattr(features, kind)
        if declared and not data.get_tables(kind):
            raise ValueError(
                f"features.{kind} ({', '.join(declared)}) expects a [data.{kind}] table, "
                "received none; add the table or remove the features"
            )


def require_filter(features: Features, data: Data) -> None:
    """Raises ValueError unless `data.items.filter` is None or names an item feature with
    categories.
    """
    name = data.items_filter
    valid = [each for each, feature in features.items.items() if _has_categories(feature)]
    if name is not None and name not in valid:
        raise ValueError(
            "data.items.filter expects one of features.items of kind category or set "
            f"({', '.join(valid) or 'there is none'}), received {name!r}; "
            "fix the name, or declare the feature"
        )


def _has_categories(feature: Feature) -> bool:
    return feature.kind in ("category", "set")


class Dataset(StrictModel):
    """Tables, features, labels, split, and what may be recommended. Components receive it as
    JSON.
    """

    data: Data
    """Tables."""
    features: Features = Features()
    """Features."""
    labels: Labels = Labels()
    """Labels."""
    split: Split = Split()
    """Split."""
    recommend: Recommend = Recommend()
    """What may be recommended; no data stage depends on it."""

    @model_validator(mode="after")
    def _require_tables(self) -> "Dataset":
        require_tables(self.features, self.data)
        return self

    @model_validator(mode="after")
    def _require_fitting_split(self) -> "Dataset":
        require_fitting_split(self.data, self.split)
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
        if not any(table.comes_in_spans for _, table in self.data.list_tables()):
            raise ConfigError(
                f"expected no span, since no path of [data] contains {{SPAN}}, received {span!r}; "
                "write {SPAN} in place of the date or number, or omit the span"
            )
        try:
            data = self.data.select_span(span)
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise ConfigError(
                "expected a span such as 2024-01-31, 7 or 2024-01-01..2024-01-31, "
                f"received {span!r}: {reason}"
            ) from error
        return self.model_copy(update={"data": data})
