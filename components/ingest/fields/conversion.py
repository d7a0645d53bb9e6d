"""Records -> typed fields, the records that a required field rejects, and why.

An unreadable value of an optional field counts as missing. A message names the column, the value,
the expected values and, if it can be recognised, the likely fix.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.converted import ConvertedColumn
from components.ingest.fields.null_values import replace_nulls
from components.ingest.fields.number_form import NumberForm
from components.ingest.fields.table_spec import MOMENT, Field, TableSpec
from components.ingest.fields.time_hints import suggest_time_fix
from components.ingest.read.records import (
    BAD_ID,
    BAD_NUMBER,
    HEADER_LINE,
    INEXACT_ID,
    OVERLONG_ID,
    Fault,
    Records,
    format_excerpt,
)
from schema.sources import Source

_EXPECTED = {
    INEXACT_ID: "a whole number, below 2**53 where it is a float (2**24 in 32 bits)",
    OVERLONG_ID: "an id of at most 1024 bytes",
    BAD_ID: "an id without line breaks and NUL",
    BAD_NUMBER: "a finite number, up to 3.4e38",
}
_NUMBER_FIXES = (
    (re.compile(r"\D*\d{1,3},\d{3}\D*"), 'set decimal = "," or thousands = ","'),
    (re.compile(r"\D*\d+,\d+\D*"), 'set decimal = ","'),
    (re.compile(r"\D*\d{1,3}(,\d{3})+(\.\d+)?\D*"), 'set thousands = ","'),
    (re.compile(r"\D*\d{1,3}(\.\d{3})+,\d+\D*"), 'set decimal = "," and thousands = "."'),
)
_MISSING = frozenset({"n/a", "na", "nan", "null", "none", "-", "?", "unknown", "\\n"})


class ConvertedFields(NamedTuple):
    """The fields of n records."""

    arrays: dict[str, pa.Array]
    """By field name, n values each."""
    faults: dict[int, Fault]
    """By position of a rejected record: the fault of the first field that rejects it."""
    unreadable: Counter[tuple[str, str]]
    """Number of unreadable values of optional fields, in records that are not rejected, by the
    field's key and the explanation of the first one."""
    assumed_utc: Counter[str]
    """Number of times without a zone that were read as UTC, by the field's key."""
    unnamed_kinds: Counter[str]
    """Number of events of each kind that the configuration does not name."""


def convert_records(records: Records, spec: TableSpec) -> ConvertedFields:
    """Converts the columns of `records` to the fields of the specification."""
    result = ConvertedFields(
        {},
        dict.fromkeys(_find_headers(records, spec), _HEADER_FAULT),
        Counter(),
        Counter(),
        Counter(),
    )
    records = add_constants(records, spec)
    for field in sorted(spec.fields, key=lambda field: field.optional):  # this sort is stable
        converted = convert_field(field, records, spec.source)
        result.assumed_utc[field.key] += converted.local
        result.unnamed_kinds.update(converted.unnamed)
        handle = _null_unreadable if field.optional else _record_faults
        result.arrays[field.name] = handle(field, converted, records, spec, result)
    return result._replace(arrays={field.name: result.arrays[field.name] for field in spec.fields})


def add_constants(records: Records, spec: TableSpec) -> Records:
    """Adds the columns of the source's constants."""
    constants = spec.source.constants
    if not constants:
        return records
    added = {name: _repeat(value, len(records.index)) for name, value in constants.items()}
    return records._replace(columns=records.columns | added)


def _repeat(constant: str | int | float | bool, length: int) -> pa.Array:
    """A column as from text: 5 is "5", true is "true"."""
    text = constant if isinstance(constant, str) else json.dumps(constant)
    return pa.repeat(pa.scalar(text, pa.large_string()), length)


def convert_field(field: Field, records: Records, source: Source) -> ConvertedColumn:
    """Converts the columns of one field; values that `source` declares missing are null."""
    nulls = source.null_texts if field.holds == "text" else source.null_numbers
    columns = [replace_nulls(records.columns[column], nulls) for column in field.columns]
    if field.holds == "number":
        return field.convert(*columns, form=NumberForm(source.decimal, source.thousands or ""))
    return field.convert(*columns)


_HEADER_FAULT = Fault(HEADER_LINE, "every column of this line holds its own name")


def _find_headers(records: Records, spec: TableSpec) -> list[int]:
    """Records of delimited text that repeat the column names: headers within concatenated files, or
    a header although the configuration names the columns.
    """
    if spec.source.format != "csv":
        return []
    named = {column: None for field in spec.fields for column in field.columns}
    in_file = records.columns.keys() - records.derived
    key, *others = (column for column in named if column in in_file)
    same = np.flatnonzero(_match_texts(records.columns[key], key))
    columns = {column: records.columns[column] for column in others}
    return [int(n) for n in same if all(_get_value(columns[name], n) == name for name in others)]


def _match_texts(values: Any, text: str) -> np.ndarray:
    return pc.fill_null(pc.equal(values, text), False).to_numpy(zero_copy_only=False)


def _record_faults(
    field: Field,
    converted: ConvertedColumn,
    records: Records,
    spec: TableSpec,
    result: ConvertedFields,
) -> pa.Array:
    for reason, refused in converted.faults:
        for n in map(int, np.flatnonzero(refused)):
            if n not in result.faults:
                result.faults[n] = Fault(reason, _explain_record(field, reason, n, records, spec))
    return converted.array


def _null_unreadable(
    field: Field,
    converted: ConvertedColumn,
    records: Records,
    spec: TableSpec,
    result: ConvertedFields,
) -> pa.Array:
    unreadable = np.any([refused for _, refused in converted.faults], axis=0)
    if not unreadable.any():
        return converted.array
    absent = pa.scalar(field.absent, converted.array.type)
    counted = unreadable.copy()
    counted[list(result.faults)] = False
    if counted.any():
        first = int(np.argmax(counted))
        reason = next(reason for reason, refused in converted.faults if refused[first])
        detail = _explain_record(field, reason, first, records, spec)
        result.unreadable[field.key, detail] += int(counted.sum())
    return pc.if_else(pa.array(unreadable), absent, converted.array)


def _explain_record(field: Field, reason: str, n: int, records: Records, spec: TableSpec) -> str:
    values = [_get_value(records.columns[column], n) for column in field.columns]
    return explain_rejection(field, reason, values, spec.withholds_raw)


def _get_value(values: Any, n: int) -> Any:
    return values[n] if isinstance(values, list) else values[n].as_py()


def explain_rejection(
    field: Field, reason: str, values: Sequence[Any], withheld: bool = False
) -> str:
    """Explains in one sentence why a value is rejected.

    Args:
        field: Field that rejects the value.
        reason: Reason from `components.ingest.read.records`.
        values: One value for each of the field's columns.
        withheld: Whether to omit the values from the sentence.
    """
    columns = ", ".join(map(format_excerpt, field.columns))
    received = "(withheld)" if withheld else _format_received(values)
    hints = [_suggest_fix(field, reason, value) for value in values]
    hint = next((f"; {text}" for text in hints if text), "")
    expected = _EXPECTED.get(reason, field.expects)
    return f"column {columns} expects {expected}, received {received}{hint}"


def _format_received(values: Sequence[Any]) -> str:
    if all(value is None or value == "" for value in values):
        return "nothing"
    return ", ".join(map(format_excerpt, values[:3])) + (", …" if len(values) > 3 else "")


def _suggest_fix(field: Field, reason: str, value: Any) -> str:
    if value in field.columns:
        return "is this line a header?"
    if field.notation is not None:
        return suggest_time_fix(value, field.notation, "timestamp_" * (field.name == MOMENT))
    if reason == BAD_NUMBER and isinstance(value, str):
        return _suggest_number_fix(value.strip())
    return ""


def _suggest_number_fix(text: str) -> str:
    if text.lower() in _MISSING:
        return "if there is no number, add this text to null_values"
    return next((fix for pattern, fix in _NUMBER_FIXES if pattern.fullmatch(text)), "")
