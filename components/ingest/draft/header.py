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
    are_names = len(set(names)) == len(names) and all(map(_NAME.fullmatch, names))
    if are_names and not any(map(_is_value, names, columns)):
        other_kinds = any(holds_numbers(column) or detect_time(column) for column in columns)
        is_sure = other_kinds or any(map(is_known_name, names))
        doubt = "columns: is the first line a header, or a record?"
        return Header(names, True, [] if is_sure else [doubt])
    names = [f"column_{at + 1}" for at in range(len(first))]
    return Header(names, False, ["columns: there is no header, so the names are guesses"])


def _is_value(name: str, column: Column) -> bool:
    """Whether the text in the first line is one of the column's values, or has their form: `N12`
    and `N7`.
    """
    form = re.sub(r"\d+", "0", name)
    return name in column.distinct or (
        form != name and any(re.sub(r"\d+", "0", text) == form for text in column.texts[:100])
    )
