"""A column of lists -> the elements of all rows."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.read.nested.literal_text import parse_literal
from components.ingest.read.records import Values


class Elements(NamedTuple):
    """The elements of `n` rows, one row after another."""

    values: Values
    """[sum of counts]"""
    counts: np.ndarray
    """int64 [n]"""

    @property
    def rows(self) -> np.ndarray:
        """int64 [sum of counts]: the row of each element."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


def split_elements(values: Values, separator: str) -> Elements:
    """Splits lists, lists written as text, and texts with `separator`; blanks around the elements
    of a text are removed, and a blank separates at any number of blanks.

    Another value is a list of one element; a missing value and an empty text have none.
    """
    if isinstance(values, list):
        return _join_lists([_parse_list(value, separator) for value in values])
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        counts = pc.fill_null(pc.list_value_length(values), 0).to_numpy().astype(np.int64)
        return Elements(values.flatten(), counts)
    if not pa.types.is_large_string(values.type):
        present = values.is_valid().to_numpy(zero_copy_only=False)
        return Elements(values.drop_null(), present.astype(np.int64))
    if pc.any(pc.starts_with(pc.utf8_ltrim_whitespace(values), "["), min_count=0).as_py():
        return split_elements(values.to_pylist(), separator)
    return _split_texts(values, separator)


def repeat_values(values: Values, rows: np.ndarray) -> Values:
    """The values at `rows`; null or None at -1."""
    if isinstance(values, list):
        return [None if row < 0 else values[row] for row in rows]
    return values.take(pa.array(rows, mask=rows < 0))


def _split_texts(values: pa.Array, separator: str) -> Elements:
    trimmed = pc.utf8_trim_whitespace(values)
    texts = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.large_string()), trimmed)
    if separator.isspace():
        parts = pc.utf8_split_whitespace(texts)
    else:
        parts = pc.split_pattern(texts, pattern=separator)
    counts = pc.fill_null(pc.list_value_length(parts), 0).to_numpy().astype(np.int64)
    return Elements(pc.utf8_trim_whitespace(parts.flatten()), counts)


def _parse_list(value: Any, separator: str) -> list[Any]:
    if isinstance(value, list):
        return value
    if not isinstance(value, str):
        return [] if value is None else [value]
    literal = parse_literal(value)
    if isinstance(literal, list):
        return literal
    text = value.strip()
    if separator.isspace():
        return text.split()
    return [part.strip() for part in text.split(separator)] if text else []


def _join_lists(lists: list[list[Any]]) -> Elements:
    counts = np.array([len(each) for each in lists], np.int64)
    return Elements([element for each in lists for element in each], counts)
