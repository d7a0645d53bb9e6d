"""The base of every configuration type."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Immutable, rejects unknown keys, carries a docstring per field into docs/CONFIG.md."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
