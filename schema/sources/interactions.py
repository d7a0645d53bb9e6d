"""The event log."""

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field, model_validator

from schema.sources.base import Source
from schema.sources.item_lists import Basket, EarlierHistory, Impressions
from schema.sources.time_options import TimeOptions

_POSITIONAL = ("sequences", "lists", "npz")
"""Formats in which user and item have positions and not names; they have no times."""
_KEYS_OF_TIMES = (
    "timestamp_unit",
    "timestamp_format",
    "timezone",
    "timestamp_origin",
    "time_outliers",
    "not_after",
    "max_events_per_user_and_day",
)


class InteractionsSource(TimeOptions, Source):
    """The event log. Event files with different columns are several tables, `[[data.interactions]]`
    for each: `unknown_item`, `time_outliers`, `not_after` and `max_events_per_user_and_day` apply
    to the whole log and are given in one of them; every other key belongs to its table. A column of
    labels or context that only some tables have is null in the others; `constants` can tell them
    apart. Of events with the same user, item and time, that of the later table is kept. Each table
    has its own counts and rejected records, under the names `interactions`, `interactions.1` and so
    on, by which messages name its keys too.
    """

    RULES: ClassVar[tuple[str, ...]] = (
        "unknown_item",
        "time_outliers",
        "not_after",
        "max_events_per_user_and_day",
    )
    """Keys that apply to all tables of the log."""
    user_id: str | list[str] = "user_id"
    """Column of the user's id. Of several, such as `["account", "cookie"]`, the first one that has
    a value is used in each event; equal ids in different columns are one user. A column of session
    ids gives lists for sessions."""
    item_id: str = "item_id"
    """Column of the item's id."""
    split: Literal["train", "valid", "test"] | None = None
    """With `split.kind = "files"`: the split of all events of this table. There are tables of train
    and test, and of valid where it is published too."""
    basket: Basket | None = None
    """Several items in one row; one item if absent."""
    impressions: Impressions | None = None
    """Items that were shown and not clicked; none if absent."""
    history: EarlierHistory | None = None
    """Items from before the log; none if absent."""
    unknown_item: Literal["keep", "reject", "fail"] = "keep"
    """What to do with an event whose item is not in the catalogue: `keep` it in the timeline, where
    no model learns from the item; `reject` it; or `fail`: stop the run with exit code 3."""
    time_outliers: Literal["keep", "reject"] = "keep"
    """What to do with events far from all others in time, such as those of a device with a wrong
    clock: at either end of the log up to five events, or one in a thousand, beyond a gap longer
    than a day and longer than twice the gaps near it. `keep` them in their timelines, where they
    affect neither popularity nor the days of a split; or `reject` them. The run's final output
    counts and lists them, and also events in the future."""
    not_after: AwareDatetime | None = None
    """Events after this time are rejected: `2026-01-31T00:00:00Z`, with or without quotes."""
    max_events_per_user_and_day: Annotated[int | None, Field(ge=1)] = None
    """A user's events beyond this number on one day (UTC) are rejected, as those of a bot."""

    @property
    def user_columns(self) -> list[str]:
        """Columns of the user's id, the most important first."""
        return [self.user_id] if isinstance(self.user_id, str) else self.user_id

    @property
    def made_columns(self) -> frozenset[str]:
        """Columns that no file has: the constants, and the item where `shown` marks it."""
        is_marked = self.impressions is not None and self.impressions.clicked == "suffix"
        return super().made_columns | (frozenset({self.item_id}) if is_marked else frozenset())

    @model_validator(mode="after")
    def _require_fitting_lists(self) -> "InteractionsSource":
        lists = {"basket": self.basket, "impressions": self.impressions, "history": self.history}
        given = [name for name, each in lists.items() if each is not None]
        if self.has_positions and given:
            raise ValueError(f"{self.format} have lists of items only; remove {', '.join(given)}")
        if self.history is not None and not self.has_times:
            raise ValueError(
                "history goes before the first time, and this table has none; remove it"
            )
        is_marked = self.impressions is not None and self.impressions.clicked == "suffix"
        if is_marked and self.basket is not None:
            raise ValueError(
                'impressions.clicked = "suffix" names all clicked items of a row, and expects no '
                "basket, received one; remove basket"
            )
        if self.impressions is not None and self.impressions.shown == self.item_id:
            remedy = "name the column of clicks in item_id"
            if is_marked:
                remedy = "set item_id to a name that no column has"
            raise ValueError(
                "impressions.shown expects another name than item_id, received "
                f"{self.item_id!r} in both; {remedy}"
            )
        return self

    @model_validator(mode="after")
    def _require_user_column(self) -> "InteractionsSource":
        if self.user_id == []:
            raise ValueError("user_id expects at least one column, received an empty list")
        if self.has_positions and not isinstance(self.user_id, str):
            raise ValueError(f"{self.format} have one id of a user: expected one name in user_id")
        return self

    @property
    def has_positions(self) -> bool:
        """Whether user and item have positions in the files, and no names of columns."""
        return self.format in _POSITIONAL

    @property
    def has_times(self) -> bool:
        """Whether events have times."""
        return not self.has_positions and self.timestamp != ""

    @property
    def has_order(self) -> bool:
        """Whether the order of a user's events is known."""
        return self.has_times or self.format == "sequences"

    @model_validator(mode="after")
    def _reject_keys_of_times(self) -> "InteractionsSource":
        for key in _KEYS_OF_TIMES:
            is_default = getattr(self, key) == type(self).model_fields[key].default
            if not self.has_times and not is_default:
                table = f"format = {self.format!r}" if self.has_positions else "this table"
                raise ValueError(f"{key} goes with times, and {table} has none; remove {key}")
        return self
