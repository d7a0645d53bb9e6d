"""The train, valid and test splits of the events."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schema.base import StrictModel


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
