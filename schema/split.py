"""The train, valid and test splits of the events, and what they require of the tables."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schema.base import StrictModel
from schema.sources import Data


class Split(StrictModel):
    """Which events are used for training (train), tuning (valid) and evaluation (test)."""

    kind: Literal["clock", "last_item", "window", "random", "files"] = "clock"
    """`clock`: one global time order; the last events are test, those before them valid, the rest
    train. `window`: the same order, in whole days counted back from the end of the log. The other
    kinds are for public benchmarks, whose splits ignore when other users' events happened.
    `last_item`: for each user with at least three events, the last event is test and the one before
    it valid. `random`: a share of each user's events, drawn at random. `files`: the split of an
    event is that of its table, `data.interactions.split`."""
    valid_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """`clock`: share of all accepted events in the valid split. `random`: share of each user's
    events. `files` without a table of valid: share of each user's train events that is drawn at
    random for valid. A drawn number that is not whole is rounded up or down at random, and one
    event of every user with train events stays in train."""
    test_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """The same for test; `clock` and `random`."""
    seed: Annotated[int, Field(ge=0)] = 0
    """`random` and `files`: seed of what is drawn, and of the order of events without times.
    Neither depends on the order of the files, but events of the same time keep that order."""
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
        self._require_fitting_draws()
        return self

    def _require_fitting_draws(self) -> None:
        kinds = {
            "valid_fraction": ("clock", "random", "files"),
            "test_fraction": ("clock", "random"),
            "seed": ("random", "files"),
        }
        for key, fitting in kinds.items():
            is_default = getattr(self, key) == type(self).model_fields[key].default
            if self.kind not in fitting and not is_default:
                raise ValueError(
                    f"{key} goes with kind = {' or '.join(map(repr, fitting))}, received kind = "
                    f"{self.kind!r}; remove it"
                )

    @property
    def has_clock(self) -> bool:
        """Whether the splits begin at times that all users share, so that every event of train was
        known when test began.
        """
        return self.kind in ("clock", "window")

    @property
    def is_assigned(self) -> bool:
        """Whether each event has its own split, by chance or by its table."""
        return self.kind in ("random", "files")


def require_test_cut(data: Data, split: Split) -> None:
    """Raises ValueError if a table is read as of the test split, and the split has no such time."""
    if data.needs_test_cut and not split.has_clock:
        raise ValueError(
            f'data.items.properties expects as_of with split.kind = "{split.kind}", whose test '
            "split begins at no one time, received none; add as_of"
        )


def require_order(data: Data, split: Split) -> None:
    """Raises ValueError if the split needs times or an order that the events do not have, or if
    only some of the tables have times.
    """
    first, *others = data.event_tables
    if any(table.has_times != first.has_times for table in others):
        raise ValueError(
            "data.interactions expects times in all of its tables or in none, received both; "
            'set timestamp = "" in all of them'
        )
    kinds = ("random", "files") if not first.has_order else ("last_item", "random", "files")
    if not first.has_times and split.kind not in kinds:
        raise ValueError(
            f"split.kind expects {' or '.join(map(repr, kinds))} for events without times, "
            f"received {split.kind!r}; change split.kind, or name the column of the time in "
            "data.interactions.timestamp"
        )


def require_split_files(data: Data, split: Split) -> None:
    """Raises ValueError unless `data.interactions.split` is in every table, and train and test are
    among them, with the kind `files`; or in none, with another one.
    """
    given = [table.split for table in data.event_tables]
    if split.kind != "files":
        if any(given):
            raise ValueError(
                'data.interactions.split goes with split.kind = "files", received split.kind = '
                f"{split.kind!r}; set it, or remove data.interactions.split"
            )
        return
    if None in given or not {"train", "test"}.issubset(given):
        received = ", ".join(repr(each) if each else "none" for each in given)
        raise ValueError(
            'split.kind = "files" expects data.interactions.split in each of the tables '
            f"[[data.interactions]], with train and test among them, received {received}"
        )
    if "valid" in given and split.valid_fraction != Split().valid_fraction:
        raise ValueError(
            "split.valid_fraction is drawn from train where no table has the split valid, received "
            "both; remove one of them"
        )


def require_fitting_split(data: Data, split: Split) -> None:
    """Raises ValueError for a split that does not fit the tables."""
    require_split_files(data, split)
    require_order(data, split)
    require_test_cut(data, split)
