"""The search space of `tandem tune`: validated ranges of the keys of `[retrieval]`."""

import math
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from schema.base import StrictModel
from trainer.config.models import RetrievalConfig

HyperparameterValue = bool | int | float | str


class SearchRange(StrictModel):
    """Values to try for one key of `[retrieval]`. `dropout = { min = 0.0, max = 0.5 }` is a range,
    `embedding_dim = [32, 64, 128]` a list. Without any such key, `learning_rate`, `embedding_dim`
    and `dropout` are searched, which matter on most logs.
    """

    values: list[HyperparameterValue] = []
    """The values to try, instead of `min` and `max`."""
    min: float | None = None
    """Smallest value, for a key that is a number."""
    max: float | None = None
    """Largest value."""
    sampling: Literal["linear", "log"] = "linear"
    """`linear` samples uniformly between `min` and `max`, `log` uniformly in the logarithm."""

    @model_validator(mode="before")
    @classmethod
    def _parse_list(cls, value: Any) -> Any:
        return {"values": value} if isinstance(value, list) else value

    @model_validator(mode="after")
    def _check_form(self) -> "SearchRange":
        if self.values:
            if self.min is not None or self.max is not None:
                raise ValueError("expected either a list of values or min and max, received both")
        elif self.min is None or self.max is None:
            raise ValueError("expected min and max, or a list of values; give both ends")
        elif not -math.inf < self.min < self.max < math.inf:
            raise ValueError(f"expected finite min below max, received {self.min} and {self.max}")
        elif self.sampling == "log" and self.min <= 0:
            raise ValueError(f'sampling = "log" expects min above 0, received {self.min}')
        return self

    @property
    def limits(self) -> list[HyperparameterValue]:
        """All values, or both ends; values between two valid ends are valid."""
        if self.min is None or self.max is None:
            return self.values
        return [self.min, self.max]


DEFAULT_RANGES = {
    "learning_rate": SearchRange(min=3e-4, max=1e-2, sampling="log"),
    "embedding_dim": SearchRange(values=[32, 64, 128]),
    "dropout": SearchRange(min=0.0, max=0.5),
}


class TuneConfig(StrictModel):
    """The search of `tandem tune` for the best NDCG@10 on valid."""

    trials: Annotated[int, Field(ge=1)] = 20
    """Maximum number of trials; the first one trains the unchanged configuration."""
    retrieval: Annotated[dict[str, SearchRange], Field(min_length=1)] = DEFAULT_RANGES
    """Ranges by key of `[retrieval]`."""

    @model_validator(mode="after")
    def _check_ranges(self) -> "TuneConfig":
        for name, search_range in self.retrieval.items():
            validate_range(name, search_range)
        return self


def validate_range(name: str, search_range: SearchRange) -> list[HyperparameterValue]:
    """`search_range.limits` in the type of the field `name` of RetrievalConfig.

    Raises ValueError for an unknown field, for values that the field does not allow, and for `min`
    and `max` of a field that is no number.
    """
    if name not in RetrievalConfig.model_fields:
        known = ", ".join(RetrievalConfig.model_fields)
        raise ValueError(f"{name} is no key of [retrieval]; expected one of {known}")
    field = RetrievalConfig.model_fields[name]
    if not search_range.values and field.annotation not in (int, float):
        raise ValueError(f"{name} is no number, so min and max do not apply; give a list of values")
    fits: TypeAdapter[HyperparameterValue] = TypeAdapter(Annotated[field.annotation, field])  # type: ignore[valid-type]
    try:
        return [fits.validate_python(value) for value in search_range.limits]
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{name}: {first['msg']}, received {first['input']!r}") from error
