"""What `tandem tune` searches: ranges of the keys of `[retrieval]`, validated against them."""

import math
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from schema.base import StrictModel
from trainer.config.models import RetrievalConfig

HyperparameterValue = bool | int | float | str


class SearchRange(StrictModel):
    """What is tried for one key of `[retrieval]`: `dropout = { min = 0.0, max = 0.5 }`, or a list
    of values: `embedding_dim = [32, 64, 128]`. Without any such key a few are searched that matter
    on most logs: learning rate, width, dropout.
    """

    values: list[HyperparameterValue] = []
    """The values to choose from, where no `min` and `max` are given."""
    min: float | None = None
    """Least value, of a key that is a number."""
    max: float | None = None
    """Greatest value."""
    sampling: Literal["linear", "log"] = "linear"
    """`log` draws the orders of magnitude between `min` and `max` equally often."""

    @model_validator(mode="before")
    @classmethod
    def _list_of_values(cls, given: Any) -> Any:
        return {"values": given} if isinstance(given, list) else given

    @model_validator(mode="after")
    def _one_way_of_saying_it(self) -> "SearchRange":
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
        """All values, or both ends; what lies between two valid ends is valid."""
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
    """Trainings at the most; the first is of the configuration as it stands."""
    retrieval: Annotated[dict[str, SearchRange], Field(min_length=1)] = DEFAULT_RANGES
    """Ranges by key of `[retrieval]`."""

    @model_validator(mode="after")
    def _ranges_fit_the_fields(self) -> "TuneConfig":
        for name, searched in self.retrieval.items():
            validate_range(name, searched)
        return self


def validate_range(name: str, searched: SearchRange) -> list[HyperparameterValue]:
    """`searched.limits` in the type of the field `name` of RetrievalConfig.

    Raises ValueError for a field that does not exist, for values outside of what it takes, and for
    a range of a field that is no number.
    """
    if name not in RetrievalConfig.model_fields:
        known = ", ".join(RetrievalConfig.model_fields)
        raise ValueError(f"{name} is no key of [retrieval]; expected one of {known}")
    field = RetrievalConfig.model_fields[name]
    if not searched.values and field.annotation not in (int, float):
        raise ValueError(f"{name} is no number, so min and max say nothing; give a list of values")
    fits: TypeAdapter[HyperparameterValue] = TypeAdapter(Annotated[field.annotation, field])  # type: ignore[valid-type]
    try:
        return [fits.validate_python(value) for value in searched.limits]
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{name}: {first['msg']}, received {first['input']!r}") from error
