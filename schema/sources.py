"""Where the user's tables lie and which of their columns play which role."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator
from typing_extensions import Self

from schema.base import StrictModel
from schema.storage.locations import TablePath
from schema.user_ids import UserIdKey

SPAN = "{SPAN}"
"""Stands in a path for a date or a number, by which logs come in portions."""
SPAN_PATTERN = r"^(\d{4}-\d{2}-\d{2}(\.\.\d{4}-\d{2}-\d{2})?|\d+(\.\.\d+)?)$"
"""What `span` may be: one, or the first and the last."""


class Source(StrictModel):
    """One table: files, their format, their columns."""

    path: TablePath
    """File, glob or folder, relative to --data or, without it, to the configuration file; or a URL
    (gs://, s3://). `{SPAN}` in it stands for a date (2024-01-31) or a number. A name that exists
    as it stands is that file or folder, whatever signs are in it, and only else a glob. Links are
    followed."""
    span: Annotated[str | None, Field(pattern=SPAN_PATTERN)] = None
    """Which spans of a `{SPAN}` path are read: one (`"2024-01-31"`, `"7"`), or the first and the
    last (`"2024-01-01..2024-01-31"`); all of them where absent."""
    last_spans: Annotated[int | None, Field(ge=1)] = None
    """How many spans are read: those that end with `span`, or with the newest where `span` is
    absent. Spans that are there are counted, so a day without logs takes no place."""
    format: Literal["csv", "jsonl", "parquet", "sequences"] = "csv"
    """`csv` is any delimited text; `jsonl` has one JSON object a line. Text that gzip, Zstandard,
    bzip2 or xz packed is unpacked, whatever the file's name. Times in `parquet` say their own unit,
    and without a zone are UTC. `sequences` is for events alone: one user a line, `user item item …`
    in order of time, with blanks between; it goes with `split.kind = "last_item"`, and a user who
    has two lines stops the run with exit code 3. An id that is a number in `jsonl` or `parquet` is
    written as an integer, 8.0 as `8`; one that is not whole, or a float so large that it stands for
    several integers, is rejected as `inexact_id`."""
    delimiter: Annotated[str, Field(min_length=1)] = ","
    """Between two fields of `csv`; may be several characters, "\\t" for a tab."""
    quoting: Literal["csv", "none"] = "csv"
    """`csv`: a field of `csv` that begins with a quotation mark ends with one, and may hold
    delimiters, line breaks and, doubled, quotation marks, up to 1 MiB; a mark elsewhere is an
    ordinary character. `none`: every mark is, as in many files with tabs. For delimiters of any
    length."""
    escape: Annotated[str | None, Field(pattern=r"^[!-~]$")] = None
    """Character of `csv`, often a backslash, that makes the one behind it ordinary: a quotation
    mark, a delimiter, a line break, itself; none where absent."""
    columns: list[str] | None = None
    """Names of the columns of `csv`; where absent the first line holds them."""
    strip_names: bool = True
    """Whether blanks around the names in a first line of `csv` are no part of them."""
    strip_fields: bool = False
    """Whether blanks around a field of `csv` are no part of it, unless it is quoted. Where they
    are, ids with them do not meet ids without (see `min_known_items`)."""
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    """How the bytes are to be read."""

    @model_validator(mode="after")
    def _require_one_span(self) -> "Source":
        places = self.path.count(SPAN)
        if places > 1 or (self.span is not None and not places):
            raise ValueError(
                f"span goes with one {{SPAN}} in path, received path = {self.path!r}; "
                'write it where the date or number stands, as in "logs/{SPAN}/*.jsonl"'
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
                f"last_spans goes with the one span that the window ends with, received "
                f"span = {self.span!r}; give its last one, or leave last_spans out"
            )
        return self

    @property
    def comes_in_spans(self) -> bool:
        """Whether the path says where a span stands."""
        return SPAN in self.path

    def select_span(self, span: str) -> Self:
        """The same table, read at another span; raises ValueError where `span` is no such thing. A
        table that does not come in spans stays as it is.
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
                f"received {self.escape!r}; two quotation marks for one need no escape"
            )
        return self


class InteractionsSource(Source):
    """The event log."""

    user_id: str = "user_id"
    """Column of the user's id."""
    item_id: str = "item_id"
    """Column of the item's id."""
    timestamp: str = "timestamp"
    """Column of the event's time. A user's events stand in the order of their times, to the
    nanosecond where the log says it (whole numbers in any unit, ISO 8601 and Parquet exactly,
    seconds with a fraction to a quarter of a microsecond); those of one time in the order of files,
    by path, and of lines. Of events that agree in user, item and that time the last line is kept,
    the others are duplicates. Timelines, cuts and models go by whole seconds."""
    timestamp_unit: Literal["s", "ms", "us", "iso8601"] = "s"
    """Unit of the time since epoch, UTC; or ISO 8601 text with a zone."""
    unknown_item: Literal["keep", "reject", "fail"] = "keep"
    """An event for an item that is not in the catalogue: `keep` it in the timeline, where nothing
    is learned of the item; `reject` it; or `fail`, which stops the run with exit code 3."""
    time_outliers: Literal["keep", "reject"] = "keep"
    """Events far from all others in time, as a device with a wrong clock writes them: at either end
    of the log up to five events, or one in a thousand, behind a gap that is longer than a day and
    than twice the gaps near it. `keep` them in their timelines, where they move neither popularity
    nor days; or `reject` them. The run's end counts and shows them, and events that are yet to
    come."""
    not_after: AwareDatetime | None = None
    """Events after that moment are rejected: `2026-01-31T00:00:00Z`, without quotes or in them."""
    max_events_per_user_and_day: Annotated[int | None, Field(ge=1)] = None
    """A user's events beyond that many on one day (UTC) are rejected: those of a robot."""

    @model_validator(mode="after")
    def _reject_sequence_times(self) -> "InteractionsSource":
        if self.format == "sequences" and self.timestamp_unit != "s":
            raise ValueError(
                "timestamp_unit goes with times, and sequences have none; leave it out"
            )
        if self.format == "sequences" and self.not_after is not None:
            raise ValueError("not_after goes with times, and sequences have none; leave it out")
        if self.format == "sequences" and self.max_events_per_user_and_day is not None:
            raise ValueError("max_events_per_user_and_day goes with times, and sequences have none")
        return self


class ItemsSource(Source):
    """The catalogue."""

    item_id: str = "item_id"
    """Column of the item's id."""
    title: str | None = None
    """Column shown to people beside an id."""
    available: str | None = None
    """Column that says what may be recommended: boolean, 0 or 1, `true` or `false`; an item without
    a value may be. Others stay in histories, and are learned from, and stand in no list."""
    filter: str | None = None
    """Name of an item feature, of kind `category` or `set`, by whose values requests may be
    narrowed: see `allowed_categories` in SERVING.md."""
    duplicates: Literal["last", "fail"] = "last"
    """Of records that share an id the `last` wins; or `fail`: reject all others and stop the run
    with exit code 3."""


class UsersSource(Source):
    """The optional user table."""

    user_id: str = "user_id"
    """Column of the user's id."""


class Data(StrictModel):
    """The user's tables and what may be wrong with them."""

    interactions: InteractionsSource
    """The event log."""
    items: ItemsSource
    """The catalogue."""
    users: UsersSource | None = None
    """The optional user table."""
    hash_user_ids: UserIdKey | None = None
    """Where absent, user ids are kept as they are."""
    max_rejected_fraction: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Above this fraction of rejected records, of any table, the run stops with exit code 3. Ids,
    times and `available` that cannot be read reject their record. An unreadable feature, label or
    title counts as absent; such values are counted by key, and the run stops with exit code 3 where
    no value of a key can be read."""
    min_known_items: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Below this share of events whose item is in the catalogue the run stops with exit code 3, and
    says with examples of both what may keep the ids apart. Ids are compared letter by letter: `8`
    is neither `8.0` nor `08` nor ` 8`. What meets is part of every run's end."""
    min_known_users: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The same of the log's users and the user table, where there is one; 0 for a table of few."""
    events_per_example: Annotated[int, Field(ge=2)] = 1024
    """Events of one timeline that one Example may hold as its own."""
    history_per_example: Annotated[int, Field(ge=1)] = 1024
    """Earlier events that an Example carries along as history."""

    @model_validator(mode="after")
    def _reject_sequence_tables(self) -> "Data":
        for name, source in (("items", self.items), ("users", self.users)):
            if source is not None and source.format == "sequences":
                raise ValueError(f'format = "sequences" is for data.interactions, not data.{name}')
        return self
