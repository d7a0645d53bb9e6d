"""Results of parsers: the columns of a table's records, and the rejected records.

Reasons are stable names: people count them, alert on them and filter dead letters by them.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple, Union

import numpy as np
import pyarrow as pa

Values = Union[pa.Array, list[Any]]
"""One column: large_string from delimited text, Python objects from JSON; from Parquet
large_string, any numbers or lists of them, timestamps, or else Python objects."""
INVALID_ENCODING = "invalid_encoding"  # the bytes are invalid in `encoding`
DAMAGED_FILE = "damaged_file"  # a gzip stream ends or breaks within this record
BROKEN_JSON = "broken_json"  # the line is not one JSON object
BROKEN_PYTHON = "broken_python"  # the line is not one Python dict of literals
REPEATED_KEY = "repeated_key"  # a JSON object holds a key that is read twice
BROKEN_QUOTING = "broken_quoting"  # no closing quote before the next delimiter
HEADER_LINE = "header_line"  # column names repeated among the records
WRONG_FIELD_COUNT = "wrong_field_count"  # more or fewer fields than columns
MISSING_USER_ID = "missing_user_id"
MISSING_ITEM_ID = "missing_item_id"
MISSING_PROPERTY = "missing_property"  # a row of a long table of items names no property
OVERLONG_ID = "overlong_id"  # more than 1 KiB
INEXACT_ID = "inexact_id"  # a number that is not whole, or too large to be exact
BAD_ID = "bad_id"  # holds a line break or NUL, which no vocabulary file can hold
BAD_TIMESTAMP = "bad_timestamp"  # absent or not a time
TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"  # before 1990, from 2100 on, after not_after
BAD_NUMBER = "bad_number"  # not a number, or not finite in 32 bits
NEGATIVE_NUMBER = "negative_number"  # a count below 0
UNEQUAL_LISTS = "unequal_lists"  # parallel lists of a row with different numbers of values
BAD_IMPRESSION = "bad_impression"  # a shown item without a mark, or a position beyond the list
BAD_BOOLEAN = "bad_boolean"  # neither 1 or true nor 0 or false
REPEATED_USER = "repeated_user"  # in sequences: an earlier line has the same user
UNKNOWN_ITEM = "unknown_item"  # not in the catalogue, if the configuration rejects that
TOO_MANY_EVENTS = "too_many_events"  # more than the configuration allows per user and day
STRAGGLER = "straggler"  # far from all others in time, if the configuration rejects that
DUPLICATE_ID = "duplicate_id"  # a later record has this id, if the configuration forbids that
WRONG_KIND = "wrong_kind"  # a JSON type or a length that the kind does not allow
_MAX_CHARACTERS = 60
_MAX_NAMES = 12


class Fault(NamedTuple):
    """Why a record is rejected."""

    reason: str
    detail: str = ""


class Records(NamedTuple):
    """The parsed part of some lines."""

    columns: dict[str, Values]
    """By column name, n values each."""
    index: np.ndarray
    """int64 [n]: the line (position among the lines given) of each record."""
    faults: dict[int, Fault]
    """By line, of the lines that do not parse."""
    derived: frozenset[str] = frozenset()
    """Columns that the file does not have as such."""


class DeadLetter(NamedTuple):
    """A rejected record, with its reason."""

    file: str
    line: int
    """From 1, header included; the row of a Parquet file."""
    reason: str
    raw: str
    """The text of the record; undecodable bytes appear as `\\xNN`, and a row of a Parquet file as
    one JSON object."""
    row_group: int | None = None
    """Row group in a Parquet file, from 0; None for text."""
    detail: str = ""
    """A sentence with column, expected and received value; without the value if ids are hashed."""


def format_excerpt(value: Any) -> str:
    """Returns `repr(value)`, truncated to 60 characters, for messages."""
    if isinstance(value, (str, bytes)) and len(value) > _MAX_CHARACTERS:
        return f"{value[:_MAX_CHARACTERS]!r}…"
    shown = repr(value)
    return shown if len(shown) <= _MAX_CHARACTERS else f"{shown[:_MAX_CHARACTERS]}…"


def join_excerpts(values: Iterable[str]) -> str:
    """Joins the excerpts of the first twelve values with commas."""
    all_values = list(values)
    more = f" and {len(all_values) - _MAX_NAMES} more" if len(all_values) > _MAX_NAMES else ""
    return ", ".join(map(format_excerpt, all_values[:_MAX_NAMES])) + more


class Origin(NamedTuple):
    """The location of a record."""

    table: int
    """Position of its table among those of its kind."""
    file: str
    line: int
    """From 1, or the row of a Parquet file."""
    offset: int = 0
    """Position in the file of the block that the record is in; 0 in Parquet files."""
