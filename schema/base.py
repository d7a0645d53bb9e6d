"""The base of every configuration type."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from typing_extensions import Self


class StrictModel(BaseModel):
    """Immutable, rejects unknown keys, carries a docstring per field into docs/CONFIG.md."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    def changed(self, **values: Any) -> Self:
        """The same with other values; raises ValidationError where one of them does not fit."""
        return type(self).model_validate(self.model_dump() | values)
