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
REPEATED_KEY = "repeated_key"  # a JSON object holds a key that is read twice
BROKEN_QUOTING = "broken_quoting"  # a quote is opened and not closed before the next delimiter
HEADER_LINE = "header_line"  # names of columns among the records
WRONG_FIELD_COUNT = "wrong_field_count"  # more or fewer fields than columns
MISSING_USER_ID = "missing_user_id"
MISSING_ITEM_ID = "missing_item_id"
OVERLONG_ID = "overlong_id"  # more than 1 KiB
INEXACT_ID = "inexact_id"  # a number that is not whole, or too large to be exact
BAD_ID = "bad_id"  # holds a line break or NUL, which no vocabulary file can hold
BAD_TIMESTAMP = "bad_timestamp"  # absent or not a time
TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"  # before 1990, from 2100 on, after not_after
BAD_NUMBER = "bad_number"  # not a number, or not finite in 32 bits
BAD_BOOLEAN = "bad_boolean"  # neither 1 or true nor 0 or false
REPEATED_USER = "repeated_user"  # of sequences: an earlier line is this user's
UNKNOWN_ITEM = "unknown_item"  # not in the catalogue, where the configuration rejects that
TOO_MANY_EVENTS = "too_many_events"  # beyond what the configuration allows a user and day
STRAGGLER = "straggler"  # far from all others in time, where the configuration rejects that
DUPLICATE_ID = "duplicate_id"  # a later record has this id, where the configuration forbids that
WRONG_KIND = "wrong_kind"  # an object, a list or another length where the kind does not have it
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


class DeadLetter(NamedTuple):
    """A rejected record, with its reason."""

    file: str
    line: int
    """From 1, header included; the row of a Parquet file."""
    reason: str
    raw: str
    """The text of the record; undecodable bytes appear as `\\xNN`. A row of a Parquet file appears
    as one JSON object."""
    row_group: int | None = None
    """Row group in a Parquet file, from 0; None for text."""
    detail: str = ""
    """Why, in a sentence: column, value, what is expected. Without the value where ids are hashed.
    """


def format_excerpt(value: Any) -> str:
    """`value` as Python writes it, cut after 60 characters: for messages."""
    if isinstance(value, (str, bytes)) and len(value) > _MAX_CHARACTERS:
        return f"{value[:_MAX_CHARACTERS]!r}…"
    shown = repr(value)
    return shown if len(shown) <= _MAX_CHARACTERS else f"{shown[:_MAX_CHARACTERS]}…"


def join_excerpts(values: Iterable[str]) -> str:
    """Excerpts separated by commas, cut after the first twelve."""
    every = list(values)
    more = f" and {len(every) - _MAX_NAMES} more" if len(every) > _MAX_NAMES else ""
    return ", ".join(map(format_excerpt, every[:_MAX_NAMES])) + more


class Origin(NamedTuple):
    """The location of a record."""

    file: str
    line: int
    """From 1, or the row of a Parquet file."""
