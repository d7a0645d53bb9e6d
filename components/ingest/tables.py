"""A block of a table -> the records that are accepted, and the letters of those that are not."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from components.ingest import delimited, json_lines
from components.ingest.fields import Field
from components.ingest.lines import Lines
from components.ingest.records import Records
from components.ingest.rejection import Rejected
from schema.sources import Source

# Where an accepted record came from: it decides which of two records with one id is the later one.
FILE = "file"
LINE = "line"


class Parsed(NamedTuple):
    """One block."""

    accepted: pa.Table
    """One column a field, then FILE and LINE."""
    rejected: list[Rejected]


def parse(lines: Lines, source: Source, names: Sequence[str], fields: Sequence[Field]) -> Parsed:
    """Reads `lines` in the source's format; `names` are the columns of delimited text, in order.

    Each record is either a row of `accepted` or one of `rejected`, with the first reason found.
    """
    wanted = {field.column for field in fields}
    if source.format == "csv":
        records = delimited.parse(lines.texts, names, wanted, source.delimiter)
    else:
        records = json_lines.parse(lines.texts, wanted)
    arrays, faults = _convert(records, fields)
    keep = np.ones(len(records.index), bool)
    keep[list(faults)] = False
    reasons = records.faults | {int(records.index[n]): reason for n, reason in faults.items()}
    rejected = [
        Rejected(lines.path, int(lines.numbers[n]), reasons[n], lines.texts[n])
        for n in sorted(reasons)
    ]
    table = pa.table(arrays).filter(pa.array(keep))
    return Parsed(_with_origin(table, lines, records.index[keep]), lines.rejected + rejected)


def empty(fields: Sequence[Field]) -> pa.Table:
    """A table of no records, with the types that `parse` gives."""
    nothing = pa.array([], pa.large_string())
    return pa.table({field.name: field.convert(nothing).array for field in fields})


def _convert(
    records: Records, fields: Sequence[Field]
) -> tuple[dict[str, pa.Array], dict[int, str]]:
    arrays: dict[str, pa.Array] = {}
    reasons: dict[int, str] = {}
    for field in fields:
        arrays[field.name], faults = field.convert(records.columns[field.column])
        for reason, refused in faults:
            for n in np.flatnonzero(refused):
                reasons.setdefault(int(n), reason)
    return arrays, reasons


def _with_origin(table: pa.Table, lines: Lines, index: np.ndarray) -> pa.Table:
    paths = pa.array([lines.path] * len(index), pa.large_string())
    table = table.append_column(FILE, paths)
    return table.append_column(LINE, pa.array(lines.numbers[index]))
