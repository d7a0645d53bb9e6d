"""Conversion of columns, by kind and role: raw values -> a typed Arrow array and its faults."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.coercion import coerce_numbers, coerce_texts
from components.ingest.fields.converted import ConvertedColumn
from components.ingest.fields.number_form import PLAIN, NumberForm
from components.ingest.read.nested.literal_text import parse_literal
from components.ingest.read.records import (
    BAD_BOOLEAN,
    BAD_NUMBER,
    WRONG_KIND,
    Values,
)
from schema.features import Feature, Set

FLOAT32_MAX = float(np.finfo(np.float32).max)
_SET = pa.list_(pa.large_string())
_YES = ("true", "1", "1.0")
_NO = ("false", "0", "0.0")
_BOOLEANS = ("true", "false")


def convert_numbers(values: Values, form: NumberForm = PLAIN) -> ConvertedColumn:
    """float64, null where absent; every number fits into 32 bits."""
    array, bad, wrong = coerce_numbers(values, form)
    bad = bad | _to_flags(pc.greater(pc.abs(array), FLOAT32_MAX))
    return ConvertedColumn(array, [(WRONG_KIND, wrong), (BAD_NUMBER, bad)])


def convert_texts(values: Values) -> ConvertedColumn:
    """large_string, null where absent or empty."""
    text, wrong = coerce_texts(values)
    return ConvertedColumn(text, [(WRONG_KIND, wrong)])


def convert_positives(values: Values, at_least: float, form: NumberForm = PLAIN) -> ConvertedColumn:
    """int64: 1 if the number is at least `at_least`, 0 if it is less or missing."""
    numbers = convert_numbers(values, form)
    reached = pc.fill_null(pc.greater_equal(numbers.array, at_least), False)
    return ConvertedColumn(pc.cast(reached, pa.int64()), numbers.faults)


def convert_matches(values: Values, is_in: Sequence[str]) -> ConvertedColumn:
    """float64: 1 if the value, as text, is one of `is_in`, 0 if it is another one, null if it is
    missing. Booleans match in upper and lower case.
    """
    text, wrong = coerce_texts(values)
    text = pc.utf8_trim_whitespace(text)
    matches = pc.is_in(text, value_set=pa.array(is_in, pa.large_string()))
    booleans = [value for value in is_in if value.lower() in _BOOLEANS]
    if booleans:
        lowered = pa.array([value.lower() for value in booleans], pa.large_string())
        matches = pc.or_(matches, pc.is_in(pc.utf8_lower(text), value_set=lowered))
    known = pc.if_else(text.is_valid(), matches, pa.scalar(None, pa.bool_()))
    return ConvertedColumn(pc.cast(known, pa.float64()), [(WRONG_KIND, wrong)])


def convert_positive_matches(values: Values, is_in: Sequence[str]) -> ConvertedColumn:
    """int64: 1 if the value, as text, is one of `is_in`, 0 if it is another one or missing."""
    matches = convert_matches(values, is_in)
    return ConvertedColumn(pc.cast(pc.fill_null(matches.array, 0), pa.int64()), matches.faults)


def convert_availability(values: Values) -> ConvertedColumn:
    """int64: 1 if the item may be recommended or the value is missing, otherwise 0.

    Case and surrounding blanks are ignored; `1.0` is valid because pandas writes it in a column
    with missing values.
    """
    text, wrong = coerce_texts(values)
    word = pc.utf8_lower(pc.utf8_trim_whitespace(text))
    yes, no = (
        _to_flags(pc.is_in(word, value_set=pa.array(w, pa.large_string()))) for w in (_YES, _NO)
    )
    bad = ~yes & ~no & _to_flags(pc.not_equal(word, ""))
    return ConvertedColumn(
        pa.array((~no).astype(np.int64)), [(WRONG_KIND, wrong), (BAD_BOOLEAN, bad)]
    )


def mark_all_positive(values: Values) -> ConvertedColumn:
    """int64: 1 for each record, regardless of the values."""
    return ConvertedColumn(pa.array(np.ones(len(values), np.int64)), [])


def convert_feature(values: Values, feature: Feature, form: NumberForm = PLAIN) -> ConvertedColumn:
    """Converts a declared feature other than a vector (see `vectors`); a missing value is null.

    category, text: large_string; set: list<large_string>; number: float64; timestamp: int64
    seconds.
    """
    if isinstance(feature, Set):
        return _convert_sets(values, feature.separator)
    if feature.kind == "number":
        return convert_numbers(values, form)
    return convert_texts(values)


def _convert_sets(values: Values, separator: str) -> ConvertedColumn:
    if not isinstance(values, list) and pa.types.is_list(values.type):
        return _convert_number_sets(values)
    if not isinstance(values, list):
        if not pa.types.is_large_string(values.type):
            return _convert_single_sets(values)
        values = values.to_pylist()
    members = [
        _split_members(value, separator) if isinstance(value, str) else _parse_members(value)
        for value in values
    ]
    rows = [None if row is None else [member for member in row if member] for row in members]
    wrong = [row is None and value is not None for row, value in zip(rows, values, strict=True)]
    return ConvertedColumn(pa.array(rows, _SET), [(WRONG_KIND, np.array(wrong, bool))])


def _convert_number_sets(values: pa.Array) -> ConvertedColumn:
    """Of list<number>; an absent number is not a member."""
    text, inexact = coerce_texts(values.flatten())
    present = text.is_valid().to_numpy(zero_copy_only=False)
    row = pc.list_parent_indices(values).to_numpy(zero_copy_only=False)
    wrong = np.zeros(len(values), bool)
    wrong[row[inexact]] = True
    lengths = np.bincount(row[present], minlength=len(values))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    absent = np.append(~values.is_valid().to_numpy(zero_copy_only=False), False)
    sets = pa.ListArray.from_arrays(pa.array(offsets, mask=absent), text.drop_null())
    return ConvertedColumn(sets, [(WRONG_KIND, wrong)])


def _convert_single_sets(values: pa.Array) -> ConvertedColumn:
    """Of numbers: sets of one member."""
    text, wrong = coerce_texts(values)
    rows = [None if member is None else [member] for member in text.to_pylist()]
    return ConvertedColumn(pa.array(rows, _SET), [(WRONG_KIND, wrong)])


def _split_members(text: str, separator: str) -> list[str] | None:
    """Texts of a list that is written as JSON, Python or NumPy print it; otherwise those between
    separators.
    """
    members = parse_literal(text) if text.startswith("[") else None
    return text.split(separator) if members is None else _parse_members(members)


def _parse_members(value: Any) -> list[str] | None:
    """Returns the texts of a JSON list, or of one number or boolean; None if `value` is no set."""
    if isinstance(value, (bool, int, float)):
        value = [value]
    if not isinstance(value, list):
        return None
    texts, wrong = coerce_texts(value)
    return None if wrong.any() else [text for text in texts.to_pylist() if text is not None]


def _to_flags(flags: pa.Array) -> np.ndarray:
    return pc.fill_null(flags, False).to_numpy(zero_copy_only=False)
