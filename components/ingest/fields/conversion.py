"""Columns -> fields, with the records that a field refuses and the values that count as absent."""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.explanation import explain
from components.ingest.fields.kinds import Converted
from components.ingest.fields.table_spec import Field
from components.ingest.read.records import Records
from components.ingest.rejection import HEADER_LINE, Fault
from components.ingest.table_spec import TableSpec


class Fields(NamedTuple):
    """Of n records."""

    arrays: dict[str, pa.Array]
    """By name, n values each."""
    faults: dict[int, Fault]
    """By record, of those that are refused: the first field's."""
    unreadable: Counter[tuple[str, str]]
    """By the field's key and the reason for the first one: values of optional fields of records
    that are not refused."""


def convert(records: Records, spec: TableSpec) -> Fields:
    """Makes the fields of the specification."""
    made = Fields({}, dict.fromkeys(_headers(records, spec), _HEADER), Counter())
    for field in sorted(spec.fields, key=lambda field: field.optional):  # which is stable
        converted = field.convert(*(records.columns[column] for column in field.columns))
        refuse = _make_absent if field.optional else _refuse
        made.arrays[field.name] = refuse(field, converted, records, spec, made)
    return made._replace(arrays={field.name: made.arrays[field.name] for field in spec.fields})


_HEADER = Fault(HEADER_LINE, "every column of this line holds its own name")


def _headers(records: Records, spec: TableSpec) -> list[int]:
    """Records of delimited text that repeat the columns' names: files that were joined, or a header
    where the configuration names the columns.
    """
    if spec.source.format != "csv":
        return []
    key, *others = {column: None for field in spec.fields for column in field.columns}
    same = np.flatnonzero(_texts_equal(records.columns[key], key))
    columns = {column: records.columns[column] for column in others}
    return [int(n) for n in same if all(_at(columns[name], n) == name for name in others)]


def _texts_equal(values: Any, text: str) -> np.ndarray:
    return pc.fill_null(pc.equal(values, text), False).to_numpy(zero_copy_only=False)


def _refuse(
    field: Field, converted: Converted, records: Records, spec: TableSpec, made: Fields
) -> pa.Array:
    for reason, refused in converted.faults:
        for n in map(int, np.flatnonzero(refused)):
            if n not in made.faults:
                made.faults[n] = Fault(reason, _explain(field, reason, n, records, spec))
    return converted.array


def _make_absent(
    field: Field, converted: Converted, records: Records, spec: TableSpec, made: Fields
) -> pa.Array:
    unreadable = np.any([refused for _, refused in converted.faults], axis=0)
    if not unreadable.any():
        return converted.array
    absent = pa.scalar(field.absent, converted.array.type)
    counted = unreadable.copy()
    counted[list(made.faults)] = False
    if counted.any():
        first = int(np.argmax(counted))
        reason = next(reason for reason, refused in converted.faults if refused[first])
        detail = _explain(field, reason, first, records, spec)
        made.unreadable[field.key, detail] += int(counted.sum())
    return pc.if_else(pa.array(unreadable), absent, converted.array)


def _explain(field: Field, reason: str, n: int, records: Records, spec: TableSpec) -> str:
    values = [_at(records.columns[column], n) for column in field.columns]
    return explain(field, reason, values, spec.source, spec.withholds_raw)


def _at(values: Any, n: int) -> Any:
    return values[n] if isinstance(values, list) else values[n].as_py()
