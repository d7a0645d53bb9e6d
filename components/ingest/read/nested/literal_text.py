"""Lists and objects that are written as text: JSON, Python, or a printed NumPy array."""

import ast
import json
import re
from typing import Any

_QUOTED = r"(?:'[^'\\]*'|\"[^\"\\]*\")"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
# NumPy separates elements by blanks only; Python would join two texts and subtract two numbers.
_PRINTED_TEXTS = re.compile(rf"\[\s*{_QUOTED}(?:\s+{_QUOTED})+\s*\]")
_PRINTED_NUMBERS = re.compile(rf"\[\s*{_NUMBER}(?:\s+{_NUMBER})+\s*\]")
PYTHON_ERRORS = (ValueError, TypeError, SyntaxError, MemoryError, RecursionError)
"""Errors of `ast` for text that is not a Python literal."""


def read_constant(name: str) -> float | None:
    """Reads `NaN`, which JSON does not have and Python writes, as a missing value; also `Infinity`
    and `-Infinity`.
    """
    return None if name == "NaN" else float(name)


_decode_json = json.JSONDecoder(parse_constant=read_constant).decode


def parse_literal(text: str) -> list[Any] | dict[Any, Any] | None:
    """Parses a list (`["a", "b"]`, `['a', 'b']`, `[0.5 1.5]`) or an object; None for other text."""
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")) and not (
        text.startswith("{") and text.endswith("}")
    ):
        return None
    value = _parse_json(text) or _parse_printed_array(text) or _parse_python(text)
    return value if value is None or is_unicode(text, value) else None


def is_unicode(text: str, value: Any) -> bool:
    """Returns whether `value`, parsed from `text`, can be written as UTF-8: an escape in the text
    can be half a surrogate pair.
    """
    if "\\" not in text:
        return True
    try:
        json.dumps(value, ensure_ascii=False, skipkeys=True, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True


def _parse_json(text: str) -> list[Any] | dict[Any, Any] | None:
    try:
        return _decode_json(text)
    except (ValueError, RecursionError):
        return None


def _parse_printed_array(text: str) -> list[Any] | None:
    if _PRINTED_NUMBERS.fullmatch(text):
        return [float(number) for number in text[1:-1].split()]
    if _PRINTED_TEXTS.fullmatch(text):
        return [quoted[1:-1] for quoted in re.findall(_QUOTED, text)]
    return None


def _parse_python(text: str) -> list[Any] | dict[Any, Any] | None:
    try:
        value = ast.literal_eval(text)
    except PYTHON_ERRORS:
        return None
    return value if isinstance(value, (list, dict)) else None
