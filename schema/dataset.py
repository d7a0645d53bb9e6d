"""Everything that describes the user's data; what ingestion and the trainers are given of the
configuration.
"""

from pydantic import model_validator

from schema.features import Features
from schema.labels import Labels, Split
from schema.sources import Data
from schema.strict import Strict


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
        if self.features.users and self.data.users is None:
            raise ValueError("features.users needs a [data.users] table to come from")
        return self
