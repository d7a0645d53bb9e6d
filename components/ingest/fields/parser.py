"""A block of a table -> the records that are accepted, and the letters of those that are not."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from components.ingest.fields import conversion
from components.ingest.fields.table_spec import Field
from components.ingest.output.shards import Origin
from components.ingest.read import delimited, json_lines, quoting, sequences
from components.ingest.read.lines import Lines
from components.ingest.read.records import Records
from components.ingest.rejection import Fault, Rejected
from components.ingest.table_spec import FILE, LINE, RAW, ROW_GROUP, TableSpec
from schema.sources import InteractionsSource

WITHHELD = "(withheld: user ids are hashed)"


class Parsed(NamedTuple):
    """One block."""

    accepted: pa.Table
    """One column a field, then those of the specification's `origin`; in order of lines."""
    rejected: list[Rejected]
    origin: Origin
    """Of the block: whatever else was read stands before it or after it as a whole."""
    unreadable: Counter[tuple[str, str]]
    """Values that count as absent, as `components.ingest.fields.conversion` has them."""


def parse(lines: Lines, names: Sequence[str], spec: TableSpec) -> Parsed:
    """Reads `lines` in the source's format; `names` are the columns of delimited text, in order.

    Each record is either a row of `accepted` or one of `rejected`, with the first reason found.
    """
    dialect = quoting.of(spec.source)
    if dialect is not None:
        records = delimited.parse(lines.texts, names, wanted(spec), dialect)
    elif isinstance(spec.source, InteractionsSource) and spec.source.format == "sequences":
        records = sequences.parse(lines.texts, wanted(spec), spec.source)
    else:
        records = json_lines.parse(lines.texts, wanted(spec))
    return accept(lines, records, spec)


def wanted(spec: TableSpec) -> set[str]:
    """Columns that the fields are made from."""
    return {column for field in spec.fields for column in field.columns}


def accept(lines: Lines, records: Records, spec: TableSpec) -> Parsed:
    """Makes fields of `records`, which were read from `lines`."""
    made = conversion.convert(records, spec)
    keep = np.ones(len(records.index), bool)
    keep[list(made.faults)] = False
    faults = records.faults | {int(records.index[n]): why for n, why in made.faults.items()}
    rejected = lines.rejected + [_letter(lines, n, faults[n]) for n in sorted(faults)]
    if spec.withholds_raw:
        rejected = [letter._replace(raw=WITHHELD) for letter in rejected]
    table, index = _in_line_order(pa.table(made.arrays).filter(pa.array(keep)), records.index[keep])
    origin = Origin(lines.path, int(lines.numbers[0]) if len(lines.numbers) else 0)
    return Parsed(_with_origin(table, lines, index, spec), rejected, origin, made.unreadable)


def empty(fields: Sequence[Field]) -> pa.Table:
    """A table of no records, with the types that `parse` gives."""
    nothing = pa.array([], pa.large_string())
    return pa.table(
        {field.name: field.convert(*[nothing] * len(field.columns)).array for field in fields}
    )


def _letter(lines: Lines, n: int, fault: Fault) -> Rejected:
    number, raw = int(lines.numbers[n]), lines.texts[n]
    return Rejected(lines.path, number, fault.reason, raw, lines.row_group, fault.detail)


def _in_line_order(table: pa.Table, index: np.ndarray) -> tuple[pa.Table, np.ndarray]:
    """`index` [rows] are lines; a parser may read those with quotes after all others."""
    if (index[1:] >= index[:-1]).all():
        return table, index
    order = np.argsort(index, kind="stable")
    return table.take(pa.array(order)), index[order]


def _with_origin(table: pa.Table, lines: Lines, index: np.ndarray, spec: TableSpec) -> pa.Table:
    for name in spec.origin:
        table = table.append_column(name, _origin(name, lines, index, spec.withholds_raw))
    return table


def _origin(name: str, lines: Lines, index: np.ndarray, withholds_raw: bool) -> pa.Array:
    if name == ROW_GROUP:
        return pa.array([lines.row_group] * len(index), pa.int64())
    if name == LINE:
        return pa.array(lines.numbers[index])
    if name == FILE:
        return pa.array([lines.path] * len(index), pa.large_string())
    if withholds_raw:
        return pa.array([WITHHELD] * len(index), pa.large_string())
    assert name == RAW, f"expected FILE, LINE or RAW, received {name!r}"
    return pa.array([lines.texts[n] for n in index], pa.large_string())
