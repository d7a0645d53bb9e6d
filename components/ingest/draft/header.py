"""Whether the first record holds the names of the columns; otherwise numbered names."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from components.ingest.draft.column import Column, detect_time, holds_numbers
from components.ingest.draft.names import is_known_name

_NAME = re.compile(r"\s*[#\"']?[^\W\d][\w .:/#()-]{0,60}[\"']?\s*")


class Header(NamedTuple):
    """Names of columns."""

    names: list[str]
    has_names: bool
    doubts: list[str]


def name_columns(records: Sequence[list[str]]) -> Header:
    """Returns the names in the first record if it is a header, otherwise `column_1` and so on."""
    first, rest = records[0], records[1:]
    names = [name.strip() for name in first]
    columns = [Column(name, [row[at] for row in rest]) for at, name in enumerate(names)]
    if len(set(names)) == len(names) and all(map(_NAME.fullmatch, names)):
        other_kinds = any(holds_numbers(column) or detect_time(column) for column in columns)
        if other_kinds or any(map(is_known_name, names)):
            return Header(names, True, [])
        if not any(name in column.distinct for name, column in zip(names, columns, strict=True)):
            return Header(names, True, ["columns: is the first line a header, or a record?"])
    names = [f"column_{at + 1}" for at in range(len(first))]
    return Header(names, False, ["columns: there is no header, so the names are guesses"])
