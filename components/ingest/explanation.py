"""Why a value was refused: column, value, what is expected, and what it looks like."""

import re
from collections.abc import Sequence
from typing import Any

from components.ingest import moment_hints
from components.ingest.excerpt import excerpt
from components.ingest.fields.table_spec import MOMENT, Field
from components.ingest.rejection import (
    BAD_ID,
    BAD_NUMBER,
    INEXACT_ID,
    OVERLONG_ID,
)
from schema.sources import Source

_EXPECTED = {
    INEXACT_ID: "a whole number, below 2**53 where it is a float (2**24 in 32 bits)",
    OVERLONG_ID: "an id of at most 1024 bytes",
    BAD_ID: "an id without line breaks and NUL",
    BAD_NUMBER: "a finite number, up to 3.4e38",
}
_COMMA = re.compile(r"[+-]?\d+,\d+")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_ABSENT = frozenset({"n/a", "na", "nan", "null", "none", "-", "?", "unknown", "\\n"})


def explain(
    field: Field, reason: str, values: Sequence[Any], source: Source, withheld: bool = False
) -> str:
    """One sentence on why `values`, one of each of the field's columns, are refused.

    `withheld` leaves the values themselves out.
    """
    columns = ", ".join(map(excerpt, field.columns))
    received = "(withheld)" if withheld else _shown(values)
    hints = [_hint(field, reason, value, source) for value in values]
    known = next((f"; {hint}" for hint in hints if hint), "")
    expected = _EXPECTED.get(reason, field.expects)
    return f"column {columns} expects {expected}, received {received}{known}"


def _shown(values: Sequence[Any]) -> str:
    if all(value is None or value == "" for value in values):
        return "nothing"
    return ", ".join(map(excerpt, values[:3])) + (", …" if len(values) > 3 else "")


def _hint(field: Field, reason: str, value: Any, source: Source) -> str:
    if value in field.columns:
        return "is this line a header?"
    if field.name == MOMENT:
        return moment_hints.hint(value, getattr(source, "timestamp_unit", "s"))
    if reason == BAD_NUMBER and isinstance(value, str):
        return _of_number(value.strip())
    return ""


def _of_number(text: str) -> str:
    if _COMMA.fullmatch(text):
        return "write a point where the comma is"
    if _THOUSANDS.fullmatch(text):
        return "leave the separators of thousands out"
    if text.lower() in _ABSENT:
        return "leave the field empty where there is no number"
    return ""
