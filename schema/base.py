"""The base of every configuration type."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from typing_extensions import Self


class StrictModel(BaseModel):
    """Immutable model that rejects unknown keys; docs/CONFIG.md shows its fields' docstrings."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    def replace_values(self, **values: Any) -> Self:
        """Returns a copy with new values; raises ValidationError if one of them is invalid."""
        return type(self).model_validate(self.model_dump() | values)
