"""Files of a table, and their format."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from schema.base import StrictModel
from schema.sources.text_options import TextOptions
from schema.storage.locations import TablePath

SPAN = "{SPAN}"
"""Placeholder in a path for the date or number by which a log is partitioned."""
SPAN_PATTERN = r"^(\d{4}-\d{2}-\d{2}(\.\.\d{4}-\d{2}-\d{2})?|\d+(\.\.\d+)?)$"
"""Valid values of `span`: one span, or the first and the last of a range."""


class FileOptions(StrictModel):
    """Files of one table."""

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
    format: Literal["csv", "jsonl", "json", "python", "parquet", "sequences", "lists", "npz"] = (
        "csv"
    )
    """`csv` is any delimited text; `jsonl` has one JSON object per line; `json` has JSON objects in
    an array or one after another, each on any number of lines; `python` has one Python dict of
    literals per line, as older dumps of Amazon's and Steam's reviews. Text compressed with gzip,
    Zstandard, bzip2 or xz is decompressed, regardless of the file name. `parquet` columns of times
    define their own unit; without a time zone they are UTC.

    Three formats are for events without times (see DATA.md). `sequences`: one user per line, `user
    item item …` in time order, separated by blanks; a user with two lines stops the run with exit
    code 3. `lists`: the same text in any order, as published with LightGCN; a line with a user
    alone has no event. `npz`: a sparse matrix as `scipy.sparse.save_npz` writes it, users in rows
    and items in columns; ids are their numbers from 0, and the numbers of the matrix, without
    zeros, are the column `value`. A numeric
    id in `jsonl`, `json`, `python` or `parquet` is converted to an integer, 8.0 to `8`; a number
    that is not whole, or a float too large to identify one integer, is rejected as `inexact_id`.
    MongoDB's Extended JSON (`{"$oid": …}`, `{"$date": …}`, `{"$numberLong": …}`) is read as the
    values that it stands for, dates as times with their own unit; `NaN` is a missing value.
    Fixed-length binary values of 16 bytes in `parquet` are UUIDs.

    Wherever a column is named, the name can be a path into nested values: `user.id` (an object or
    struct), `items[0].id` (an element of a list), `genres[].name` (all elements, as a list for a
    feature of kind `set`), `params[key=page].value` (the first element whose `key` is `page`); JSON
    or Python text in a cell is nested too. A column that literally has the name is preferred. The
    key of a folder `key=value` on the path of a file is a column of its records (Hive partitions),
    unless the file has a column with that name. A `parquet` column that only some files have is
    null in the others, except for ids and times, which every file must have."""

    @model_validator(mode="after")
    def _require_one_span(self) -> "FileOptions":
        placeholders = self.path.count(SPAN)
        if placeholders > 1 or (self.span is not None and not placeholders):
            raise ValueError(
                f"span goes with one {{SPAN}} in path, received path = {self.path!r}; "
                'write it in place of the date or number, as in "logs/{SPAN}/*.jsonl"'
            )
        return self

    @model_validator(mode="after")
    def _require_window_end(self) -> "FileOptions":
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
        return self.replace_values(span=span)


_CSV_KEYS = ("columns", "quote", "escape", "skip_lines", "comment", "strip_fields")


class Source(TextOptions, FileOptions):
    """One table: files, their format, their columns."""

    constants: dict[str, str | int | float | bool] = {}
    """Columns that the files do not have, with one value for all records of this table:
    `{ event = "purchase" }` where purchases have files of their own."""

    @property
    def made_columns(self) -> frozenset[str]:
        """Columns that the files do not have, and ingestion makes."""
        return frozenset(self.constants)

    @model_validator(mode="after")
    def _require_fitting_format(self) -> "Source":
        for key in _CSV_KEYS:
            default = type(self).model_fields[key].default
            if self.format != "csv" and getattr(self, key) != default:
                raise ValueError(f'{key} goes with format = "csv", not {self.format}; remove it')
        return self
