"""Locations of the user's tables, and the roles of their columns."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator
from typing_extensions import Self

from schema.base import StrictModel
from schema.storage.locations import TablePath
from schema.user_ids import UserIdKey

SPAN = "{SPAN}"
"""Placeholder in a path for the date or number by which a log is partitioned."""
SPAN_PATTERN = r"^(\d{4}-\d{2}-\d{2}(\.\.\d{4}-\d{2}-\d{2})?|\d+(\.\.\d+)?)$"
"""Valid values of `span`: one span, or the first and the last of a range."""


class Source(StrictModel):
    """One table: files, their format, their columns."""

    path: TablePath
    """File, glob or folder, relative to --data or, without it, to the configuration file; or a URL
    (gs://, s3://). `{SPAN}` is a placeholder for a date (2024-01-31) or a number. A path that
    exists literally is that file or folder, even if it contains wildcard characters; otherwise it
    is a glob. Symbolic links are followed."""
    span: Annotated[str | None, Field(pattern=SPAN_PATTERN)] = None
    """Which spans of a `{SPAN}` path to read: one (`"2024-01-31"`, `"7"`), or a range from the
    first to the last (`"2024-01-01..2024-01-31"`); all spans if absent."""
    last_spans: Annotated[int | None, Field(ge=1)] = None
    """How many spans to read, up to and including `span`, or the newest if `span` is absent. Only
    existing spans count, so a day without logs is not one of them."""
    format: Literal["csv", "jsonl", "parquet", "sequences"] = "csv"
    """`csv` is any delimited text; `jsonl` has one JSON object per line. Text compressed with gzip,
    Zstandard, bzip2 or xz is decompressed, regardless of the file name. `parquet` columns of times
    define their own unit; without a time zone they are UTC. `sequences` is for events only: one
    user per line, `user item item …` in time order, separated by blanks; it requires
    `split.kind = "last_item"`, and a user with two lines stops the run with exit code 3. A numeric
    id in `jsonl` or `parquet` is converted to an integer, 8.0 to `8`; a number that is not whole,
    or a float too large to identify one integer, is rejected as `inexact_id`."""
    delimiter: Annotated[str, Field(min_length=1)] = ","
    """Separator between two fields of `csv`; can have several characters, "\\t" for a tab."""
    quoting: Literal["csv", "none"] = "csv"
    """`csv`: a `csv` field that begins with a quotation mark ends with one, and can contain
    delimiters, line breaks and doubled quotation marks, up to 1 MiB; a quotation mark elsewhere is
    an ordinary character. `none`: every quotation mark is an ordinary character, as in many
    tab-separated files. Both work with delimiters of any length."""
    escape: Annotated[str | None, Field(pattern=r"^[!-~]$")] = None
    """Escape character of `csv`, often a backslash: the next character (a quotation mark, a
    delimiter, a line break or the escape character) is an ordinary one. No escape if absent."""
    columns: list[str] | None = None
    """Names of the `csv` columns; if absent, the first line holds the names."""
    strip_names: bool = True
    """Whether blanks around the names in the first line of `csv` are removed."""
    strip_fields: bool = False
    """Whether blanks around an unquoted `csv` field are removed. If they are not, an id with blanks
    does not match the same id without (see `min_known_items`)."""
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    """Text encoding of the files."""

    @model_validator(mode="after")
    def _require_one_span(self) -> "Source":
        places = self.path.count(SPAN)
        if places > 1 or (self.span is not None and not places):
            raise ValueError(
                f"span goes with one {{SPAN}} in path, received path = {self.path!r}; "
                'write it in place of the date or number, as in "logs/{SPAN}/*.jsonl"'
            )
        return self

    @model_validator(mode="after")
    def _require_window_end(self) -> "Source":
        if self.last_spans is not None and not self.comes_in_spans:
            raise ValueError(
                f"last_spans goes with one {{SPAN}} in path, received path = {self.path!r}"
            )
        if self.last_spans is not None and ".." in (self.span or ""):
            raise ValueError(
                f"last_spans goes with a single span, the last one of the window, received "
                f"span = {self.span!r}; give the last span only, or remove last_spans"
            )
        return self

    @property
    def comes_in_spans(self) -> bool:
        """Whether the path contains `{SPAN}`."""
        return SPAN in self.path

    def select_span(self, span: str) -> Self:
        """Returns a copy that reads `span`, or this object if the path has no `{SPAN}`.

        Raises ValueError if `span` is malformed.
        """
        if not self.comes_in_spans:
            return self
        return self.changed(span=span)

    @model_validator(mode="after")
    def _require_fitting_format(self) -> "Source":
        if self.format != "csv" and self.columns is not None:
            raise ValueError(
                f'columns goes with format = "csv": {self.format} files name their own columns'
            )
        if self.format != "csv" and (self.quoting, self.escape) != ("csv", None):
            raise ValueError(f'quoting and escape go with format = "csv", not {self.format}')
        if self.format != "csv" and self.strip_fields:
            raise ValueError(f'strip_fields goes with format = "csv", not {self.format}')
        if self.escape is not None and self.escape in ('"', *self.delimiter):
            raise ValueError(
                "expected an escape that is neither a quotation mark nor in the delimiter, "
                f"received {self.escape!r}; doubled quotation marks need no escape"
            )
        return self


class InteractionsSource(Source):
    """The event log."""

    user_id: str = "user_id"
    """Column of the user's id."""
    item_id: str = "item_id"
    """Column of the item's id."""
    timestamp: str = "timestamp"
    """Column of the event's time. Events of a user are sorted by time, with a resolution of up to
    one nanosecond (exact for whole numbers in any unit, ISO 8601 and Parquet; a quarter of a
    microsecond for fractional seconds); events of the same time keep the order of the files, by
    path, and of the lines. Of events with the same user, item and time the last line is kept, the
    others are duplicates. Timelines, splits and models use whole seconds."""
    timestamp_unit: Literal["s", "ms", "us", "iso8601"] = "s"
    """Unit of the time since epoch, UTC; or ISO 8601 text with a time zone."""
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

    @model_validator(mode="after")
    def _reject_sequence_times(self) -> "InteractionsSource":
        if self.format == "sequences" and self.timestamp_unit != "s":
            raise ValueError("timestamp_unit goes with times, and sequences have none; remove it")
        if self.format == "sequences" and self.not_after is not None:
            raise ValueError("not_after goes with times, and sequences have none; remove it")
        if self.format == "sequences" and self.max_events_per_user_and_day is not None:
            raise ValueError(
                "max_events_per_user_and_day goes with times, and sequences have none; remove it"
            )
        return self


class ItemsSource(Source):
    """The catalogue."""

    item_id: str = "item_id"
    """Column of the item's id."""
    title: str | None = None
    """Column of the title, shown to people next to the id."""
    available: str | None = None
    """Column that marks items that may be recommended: boolean, 0 or 1, `true` or `false`; an item
    without a value may be recommended. Other items are never recommended, but stay in histories,
    and the models learn from them."""
    filter: str | None = None
    """Name of an item feature of kind `category` or `set` by whose values requests can filter: see
    `allowed_categories` in SERVING.md."""
    duplicates: Literal["last", "fail"] = "last"
    """Which of several records with the same id to use: the `last`; or `fail`: reject all others
    and stop the run with exit code 3."""


class UsersSource(Source):
    """The optional user table."""

    user_id: str = "user_id"
    """Column of the user's id."""


class Data(StrictModel):
    """The user's tables, and limits for errors in them."""

    interactions: InteractionsSource
    """The event log."""
    items: ItemsSource
    """The catalogue."""
    users: UsersSource | None = None
    """The optional user table."""
    hash_user_ids: UserIdKey | None = None
    """Key for hashing user ids; if absent, user ids are not hashed."""
    max_rejected_fraction: Annotated[float, Field(ge=0, le=1)] = 0.01
    """If the fraction of rejected records of any table exceeds this, the run stops with exit code
    3. A record whose id, time or `available` is malformed is rejected. A malformed feature, label
    or title counts as missing; such values are counted by key, and the run stops with exit code 3
    if all values of a key are malformed."""
    min_known_items: Annotated[float, Field(ge=0, le=1)] = 0.5
    """If the share of events whose item is in the catalogue is below this, the run stops with exit
    code 3; the error shows example ids of both tables and why they may differ. Ids are compared
    character by character: `8` is neither `8.0` nor `08` nor ` 8`. The final output of every run
    shows the share."""
    min_known_users: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The same for the log's users and the user table, if there is one; set it to 0 for a table
    that covers few users."""
    events_per_example: Annotated[int, Field(ge=2)] = 1024
    """Maximum number of a timeline's events that belong to one Example."""
    history_per_example: Annotated[int, Field(ge=1)] = 1024
    """Maximum number of earlier events that an Example repeats as history."""

    @model_validator(mode="after")
    def _reject_sequence_tables(self) -> "Data":
        for name, source in (("items", self.items), ("users", self.users)):
            if source is not None and source.format == "sequences":
                raise ValueError(f'format = "sequences" is for data.interactions, not data.{name}')
        return self
