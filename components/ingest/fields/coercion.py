"""Conversion of one column of any format to strings, ids or numbers."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.number_form import PLAIN, NumberForm
from components.ingest.read.number_text import (
    NumberText,
    format_numbers,
    format_objects,
    is_number_type,
)
from components.ingest.read.records import Values

_NUMERIC_TYPES = frozenset({int, float, bool, type(None)})


def coerce_texts(values: Values) -> tuple[pa.Array, np.ndarray]:
    """Returns large_string [n], null if absent or empty; and bool [n], true for invalid values.

    Numbers are formatted by `number_text`, and JSON booleans as `true` or `false`. Objects, lists
    and inexact numbers are invalid.
    """
    formatted, wrong = _format_texts(values)
    return null_empty(formatted.text), wrong | formatted.inexact


def coerce_ids(values: Values) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Returns large_string [n], null if absent or empty, and two masks bool [n]: of values that are
    neither text nor numbers, and of numbers that are inexact or not whole, where two ids might
    become one.
    """
    values = _simplify(values)
    formatted, wrong = _format_texts(values)
    if isinstance(values, list):
        wrong = wrong | np.array([isinstance(value, bool) for value in values], bool)
    return null_empty(formatted.text), wrong, formatted.inexact | formatted.fractional


def coerce_numbers(
    values: Values, form: NumberForm = PLAIN
) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Returns float64 [n], null if absent, and two masks bool [n]: of values that are not numbers,
    and of objects, lists and inexact numbers.

    `form` applies to text; blanks and a currency around it are ignored. `nan`, `inf` and numbers
    too large for 64 bits do not count as numbers. A JSON boolean is 1 or 0.
    """
    values = _simplify(values)
    if isinstance(values, list):
        if set(map(type, values)) <= _NUMERIC_TYPES:
            return _convert_numbers(values)
        values = [_to_digits(value, form) for value in values]
    elif is_number_type(values.type):
        numbers = pc.cast(values, pa.float64(), safe=False)
        return numbers, _to_mask(pc.invert(pc.is_finite(numbers))), np.zeros(len(values), bool)
    text, wrong = coerce_texts(values)
    numbers = _cast_all(text) if form.extends_plain else None
    if numbers is not None:
        return numbers, np.zeros(len(text), bool), wrong
    return (*_cast_each(text, form), wrong)


def _simplify(values: Values) -> Values:
    """Converts columns other than text and numbers to Python objects, and times to seconds."""
    if isinstance(values, list) or is_number_type(values.type):
        return values
    if pa.types.is_timestamp(values.type):
        return pc.cast(pc.cast(values, pa.timestamp("s", values.type.tz), safe=False), pa.int64())
    return values if pa.types.is_large_string(values.type) else values.to_pylist()


def _format_texts(values: Values) -> tuple[NumberText, np.ndarray]:
    """Formats the values, and returns which of them are no single values."""
    values = _pack_integers(_simplify(values))
    all_false = np.zeros(len(values), bool)
    if not isinstance(values, list):
        if pa.types.is_large_string(values.type):
            return NumberText(values, all_false, all_false), all_false
        return format_numbers(values), all_false
    if set(map(type, values)) <= {str, type(None)}:
        return NumberText(pa.array(values, pa.large_string()), all_false, all_false), all_false
    wrong = np.array([not _is_single(value) for value in values], bool)
    single = [None if is_wrong else value for is_wrong, value in zip(wrong, values, strict=True)]
    return format_objects(single), wrong


def _pack_integers(values: Values) -> Values:
    """Converts Python integers to Arrow's if all fit into 64 bits; otherwise returns `values`."""
    if not isinstance(values, list) or set(map(type, values)) != {int}:
        return values
    try:
        return pa.array(values, pa.int64())
    except (OverflowError, pa.ArrowInvalid):
        return values


def _cast_all(text: pa.Array) -> pa.Array | None:
    """Returns float64 if every text is a plain number, as in most columns; otherwise None."""
    try:
        numbers = pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        return None
    return numbers if pc.all(pc.is_finite(numbers), min_count=0).as_py() else None


def _cast_each(text: pa.Array, form: NumberForm) -> tuple[pa.Array, np.ndarray]:
    """Returns float64, and which texts are not numbers."""
    trimmed = null_empty(pc.utf8_trim_whitespace(text))
    plain = form.to_plain(trimmed)
    numbers = pc.cast(plain, pa.float64())
    good = pc.and_(pc.is_valid(plain), pc.fill_null(pc.is_finite(numbers), False))
    return numbers, _to_mask(pc.and_(pc.is_valid(trimmed), pc.invert(good)))


def to_float(value: float) -> float:
    """Converts a JSON number to a float; an integer of more than 308 digits becomes infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _convert_numbers(values: list[Any]) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    absent = np.array([value is None for value in values], bool)
    filled = [0.0 if value is None else value for value in values]
    try:
        numbers = np.array(filled, np.float64)
    except OverflowError:
        numbers = np.array([to_float(value) for value in filled], np.float64)
    array = pa.array(numbers, pa.float64(), mask=absent)
    return array, ~np.isfinite(numbers), np.zeros(len(values), bool)


def _to_digits(value: Any, form: NumberForm) -> Any:
    """Formats a number as text, `nan` and `inf` too; returns other values unchanged."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (int, float, Decimal)):
        return str(value).replace(".", form.decimal)
    return value


def _is_single(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, Decimal))


def null_empty(text: pa.Array) -> pa.Array:
    """Returns large_string with null for empty text."""
    empty = pc.equal(text, "")
    if not pc.any(empty, min_count=0).as_py():
        return text
    return pc.if_else(empty, pa.scalar(None, pa.large_string()), text)


def _to_mask(flags: pa.Array) -> np.ndarray:
    return pc.fill_null(flags, False).to_numpy(zero_copy_only=False)
