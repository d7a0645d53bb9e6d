"""One column as text or as numbers, whatever it came from."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.read import number_text
from components.ingest.read.number_text import NumberText
from components.ingest.read.records import Values

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_NUMERIC_TYPES = frozenset({int, float, bool, type(None)})


def as_text(values: Values) -> tuple[pa.Array, np.ndarray]:
    """-> (large_string [n], null where absent or empty; bool [n], true where no single value).

    A number is written as `components.ingest.read.number_text` has it, a JSON boolean as `true` or
    `false`; an object, a list and an inexact number have no text.
    """
    written, wrong = _written(values)
    return _without_empty(written.text), wrong | written.inexact


def as_identifier(values: Values) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """-> (large_string [n], null where absent or empty; bool [n], true where no text or number;
    bool [n], true where a number is inexact or not whole: two ids might become one).
    """
    values = _simple(values)
    written, wrong = _written(values)
    if isinstance(values, list):
        wrong = wrong | np.array([isinstance(value, bool) for value in values], bool)
    return _without_empty(written.text), wrong, written.inexact | written.fractional


def as_number(values: Values) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """-> (float64 [n], null where absent; bool [n] is no number; bool [n] is no single value).

    Text may have blanks around it. `nan`, `inf` and what is too large for 64 bits are no numbers.
    A JSON boolean is 1 or 0.
    """
    values = _simple(values)
    if isinstance(values, list):
        if set(map(type, values)) <= _NUMERIC_TYPES:
            return _from_numbers(values)
        values = [_digits(value) for value in values]
    elif number_text.is_number(values.type):
        numbers = pc.cast(values, pa.float64(), safe=False)
        return numbers, _mask(pc.invert(pc.is_finite(numbers))), np.zeros(len(values), bool)
    text, wrong = as_text(values)
    at_once = _cast_all(text)
    if at_once is not None:
        return at_once, np.zeros(len(text), bool), wrong
    return (*_cast_each(text), wrong)


def _simple(values: Values) -> Values:
    """What is no column of texts or numbers, as Python objects; moments in seconds."""
    if isinstance(values, list) or number_text.is_number(values.type):
        return values
    if pa.types.is_timestamp(values.type):
        return pc.cast(pc.cast(values, pa.timestamp("s", values.type.tz), safe=False), pa.int64())
    return values if pa.types.is_large_string(values.type) else values.to_pylist()


def _written(values: Values) -> tuple[NumberText, np.ndarray]:
    """Texts, and which are no single values."""
    values = _integers(_simple(values))
    nowhere = np.zeros(len(values), bool)
    if not isinstance(values, list):
        if pa.types.is_large_string(values.type):
            return NumberText(values, nowhere, nowhere), nowhere
        return number_text.of_array(values), nowhere
    if set(map(type, values)) <= {str, type(None)}:
        return NumberText(pa.array(values, pa.large_string()), nowhere, nowhere), nowhere
    wrong = np.array([not _is_single(value) for value in values], bool)
    single = [None if no else value for no, value in zip(wrong, values, strict=True)]
    return number_text.of_objects(single), wrong


def _integers(values: Values) -> Values:
    """Python's integers as Arrow's where they fit into 64 bits; all else as it is."""
    if not isinstance(values, list) or set(map(type, values)) != {int}:
        return values
    try:
        return pa.array(values, pa.int64())
    except (OverflowError, pa.ArrowInvalid):
        return values


def _cast_all(text: pa.Array) -> pa.Array | None:
    """float64 where each text is a plain number, as in most columns; None where one is not."""
    try:
        numbers = pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        return None
    return numbers if pc.all(pc.is_finite(numbers), min_count=0).as_py() else None


def _cast_each(text: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """float64, and which are no numbers; with blanks around, a plus, or some that are none."""
    trimmed = _without_empty(pc.utf8_trim_whitespace(text))
    is_number = pc.match_substring_regex(trimmed, pattern=NUMBER)
    digits = pc.replace_substring_regex(trimmed, pattern=r"^\+", replacement="")
    numbers = pc.cast(
        pc.if_else(is_number, digits, pa.scalar(None, pa.large_string())), pa.float64()
    )
    bad = pc.or_(pc.invert(is_number), pc.invert(pc.fill_null(pc.is_finite(numbers), True)))
    return numbers, _mask(bad)


def to_float(value: float) -> float:
    """Python's float of a JSON number; infinite where an integer has more than 308 digits."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _from_numbers(values: list[Any]) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    absent = np.array([value is None for value in values], bool)
    filled = [0.0 if value is None else value for value in values]
    try:
        numbers = np.array(filled, np.float64)
    except OverflowError:
        numbers = np.array([to_float(value) for value in filled], np.float64)
    array = pa.array(numbers, pa.float64(), mask=absent)
    return array, ~np.isfinite(numbers), np.zeros(len(values), bool)


def _digits(value: Any) -> Any:
    """A number as text (`nan` and `inf` too, which then count as no numbers); all else as it is."""
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, (int, float, Decimal)) else value


def _is_single(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, Decimal))


def _without_empty(text: pa.Array) -> pa.Array:
    empty = pc.equal(text, "")
    if not pc.any(empty, min_count=0).as_py():
        return text
    return pc.if_else(empty, pa.scalar(None, pa.large_string()), text)


def _mask(flags: pa.Array) -> np.ndarray:
    return pc.fill_null(flags, False).to_numpy(zero_copy_only=False)
