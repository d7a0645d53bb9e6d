"""Formats numbers of any type as text, whole numbers exactly as integers."""

import math
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# From here on a float can represent more than one integer; by Arrow's name of the type.
_INEXACT_FROM = {"float": 2.0**24, "double": 2.0**53}
_TEXT = pa.large_string()


class NumberText(NamedTuple):
    """Numbers [n]."""

    text: pa.Array
    """large_string: `8` of 8, 8.0 and 8.00; `0.5`, never with an exponent; null where absent or
    inexact."""
    inexact: np.ndarray
    """bool: not finite, or a float too large to identify one integer."""
    fractional: np.ndarray
    """bool: not whole."""


def is_number_type(kind: pa.DataType) -> bool:
    """Returns whether `format_numbers` supports the type."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def format_numbers(numbers: pa.Array) -> NumberText:
    """Formats Arrow integers, floats or decimals."""
    if pa.types.is_decimal(numbers.type):
        return _format_decimals(numbers)
    if pa.types.is_floating(numbers.type):
        return _format_floats(numbers)
    all_false = np.zeros(len(numbers), bool)
    return NumberText(pc.cast(numbers, _TEXT), all_false, all_false)


def format_objects(values: list[Any]) -> NumberText:
    """Formats Python's int, float and Decimal; other values must be str or None and stay as is."""
    inexact = np.array([_is_inexact(value) for value in values], bool)
    fractional = np.array([_is_fractional(value) for value in values], bool)
    texts = [
        None if is_inexact else _format_number(value)
        for is_inexact, value in zip(inexact, values, strict=True)
    ]
    return NumberText(pa.array(texts, _TEXT), inexact, fractional)


def _format_floats(numbers: pa.Array) -> NumberText:
    present = numbers.is_valid().to_numpy(zero_copy_only=False)
    filled = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False)
    inexact = present & ~(np.abs(filled) < _INEXACT_FROM[str(numbers.type)])
    safe = np.where(inexact, 0, filled)
    fractional = safe != np.floor(safe)
    integers = pa.array(safe.astype(np.int64), mask=~present | inexact)
    text = pc.cast(integers, _TEXT)
    if fractional.any():
        distinct, which = np.unique(safe[fractional], return_inverse=True)
        shortest = pa.array([_format_shortest(number) for number in distinct], _TEXT)
        text = _replace_where(text, fractional, shortest.take(pa.array(which)))
    return NumberText(text, inexact, fractional)


def _format_decimals(numbers: pa.Array) -> NumberText:
    whole = pc.cast(numbers, pa.decimal256(76, 0), safe=False)  # removes the fraction
    cut = pc.cast(whole, pa.decimal256(76, numbers.type.scale), safe=False)
    same = pc.equal(cut, pc.cast(numbers, cut.type))
    fractional = ~pc.fill_null(same, True).to_numpy(zero_copy_only=False)
    try:
        text = pc.cast(pc.cast(whole, pa.int64()), _TEXT)
    except pa.ArrowInvalid:  # Arrow cannot format a decimal beyond 64 bits
        text = pa.array(map(_format_number, whole.to_pylist()), _TEXT)
    if fractional.any():
        shown = pa.array(
            map(_format_number, numbers.filter(pa.array(fractional)).to_pylist()), _TEXT
        )
        text = _replace_where(text, fractional, shown)
    return NumberText(text, np.zeros(len(numbers), bool), fractional)


def _replace_where(text: pa.Array, mask: np.ndarray, replacements: pa.Array) -> pa.Array:
    """Returns `text` with the values of `replacements`, in order, where `mask` is true."""
    source = np.arange(len(text))
    source[mask] = len(text) + np.arange(len(replacements))
    return pa.concat_arrays([text, replacements]).take(pa.array(source))


def _is_inexact(value: Any) -> bool:
    if isinstance(value, float):
        return not abs(value) < _INEXACT_FROM["double"]
    return isinstance(value, Decimal) and not value.is_finite()


def _is_fractional(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value) and not value.is_integer()
    return isinstance(value, Decimal) and value.is_finite() and value != value.to_integral_value()


def _format_number(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (float, Decimal)) and not _is_fractional(value):
        return str(int(value))
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, float):
        return _format_shortest(value)
    return value if value is None or isinstance(value, str) else str(value)


def _format_shortest(number: Any) -> str:
    """Formats with the fewest digits that identify the number in its own precision."""
    return np.format_float_positional(number, unique=True, trim="-")
