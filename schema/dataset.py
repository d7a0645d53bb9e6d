"""Everything that describes the user's data; what ingestion and the trainers are given of the
configuration.
"""

from pydantic import ValidationError, model_validator

from schema.base import Strict
from schema.errors import ConfigError
from schema.features import Feature, Features
from schema.labels import Labels, Split
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


class Dataset(Strict):
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
    def _user_features_have_a_table(self) -> "Dataset":
        require_tables(self.features, self.data)
        return self

    @model_validator(mode="after")
    def _filter_is_a_feature(self) -> "Dataset":
        require_filter(self.features, self.data)
        return self

    def at(self, span: str) -> "Dataset":
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
            moved = {name: source.at(span) for name, source in sources.items()}
        except ValidationError as error:
            said = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise ConfigError(
                "expected a span such as 2024-01-31, 7 or 2024-01-01..2024-01-31, "
                f"received {span!r}: {said}"
            ) from error
        return self.model_copy(update={"data": self.data.model_copy(update=moved)})
