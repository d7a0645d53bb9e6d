"""A table's blocks, row groups and matrices -> accepted records as fields, and dead letters."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from components.ingest.fields.conversion import convert_records
from components.ingest.fields.event_kinds import drop_ignored_events
from components.ingest.fields.rows.expand import expand_rows
from components.ingest.fields.table_spec import (
    FILE,
    LINE,
    RAW,
    ROW_GROUP,
    TABLE,
    Field,
    TableSpec,
)
from components.ingest.read.blocks import Block
from components.ingest.read.delimited import parse_delimited
from components.ingest.read.derived_columns import derive_columns
from components.ingest.read.layout import Layout, read_layout
from components.ingest.read.lines import Lines, decode_block
from components.ingest.read.nested.column_path import list_base_columns
from components.ingest.read.objects.json_lines import parse_json_lines
from components.ingest.read.objects.object_texts import decode_objects
from components.ingest.read.objects.python_lines import parse_python_lines
from components.ingest.read.pairs.matrix import MatrixFile, read_matrix
from components.ingest.read.pairs.sequences import (
    expand_lists,
    expand_sequences,
    parse_pairs,
)
from components.ingest.read.parquet import RowGroup, read_row_group
from components.ingest.read.quoting import build_dialect
from components.ingest.read.records import DeadLetter, Fault, Origin, Records
from schema.sources import InteractionsSource

WITHHELD = "(withheld: user ids are hashed)"


class ParsedRecords(NamedTuple):
    """The records of one block."""

    accepted: pa.Table
    """One column per field, then those of the specification's `origin`; in line order."""
    rejected: list[DeadLetter]
    origin: Origin
    """Origin of the block, by which blocks are sorted."""
    unreadable: Counter[tuple[str, str]]
    """Unreadable values, see `conversion.ConvertedFields`."""
    assumed_utc: Counter[str]
    """Times without a zone, see `conversion.ConvertedFields`."""
    unnamed_kinds: Counter[str]
    """Kinds of events, see `conversion.ConvertedFields`."""
    comments: int
    """Number of comment lines, which are not records."""
    read: int
    """Number of records, those of each item of a row with several."""
    unused: int
    """Events of ignored kinds, and rows of impressions without a click."""


def parse_lines(lines: Lines, names: Sequence[str | None], spec: TableSpec) -> ParsedRecords:
    """Parses `lines` in the source's format; `names` are those of `Layout`, for delimited text.

    Each record becomes a row of `accepted` or, with the first reason found, one of `rejected`.
    """
    dialect = build_dialect(spec.source)
    if dialect is not None:
        bases = list_base_columns(list_source_columns(spec))
        records = parse_delimited(lines.texts, names, bases, dialect)
    elif isinstance(spec.source, InteractionsSource) and spec.source.has_positions:
        records = parse_pairs(lines.texts, list_source_columns(spec), spec.source)
    elif spec.source.format == "python":
        records = parse_python_lines(lines.texts, list_source_columns(spec))
    else:
        records = parse_json_lines(lines.texts, list_source_columns(spec))
    return accept_records(lines, records, spec)


def list_source_columns(spec: TableSpec) -> set[str]:
    """Returns the columns that the fields need from the files."""
    needed = {column for field in spec.fields for column in field.columns}
    return needed - spec.source.made_columns


def accept_records(lines: Lines, records: Records, spec: TableSpec) -> ParsedRecords:
    """Converts `records`, which were parsed from `lines`, to fields."""
    records = derive_columns(records, list_source_columns(spec), lines.path)
    lines, expanded, unused = expand_rows(lines, records, spec.source)
    records = drop_ignored_events(expanded, spec)
    unused += len(expanded.index) - len(records.index)
    converted = convert_records(records, spec)
    keep = np.ones(len(records.index), bool)
    keep[list(converted.faults)] = False
    faults = records.faults | {int(records.index[n]): why for n, why in converted.faults.items()}
    rejected = lines.rejected + [_build_letter(lines, n, faults[n]) for n in sorted(faults)]
    if spec.withholds_raw:
        rejected = [letter._replace(raw=WITHHELD) for letter in rejected]
    table, index = _sort_by_line(
        pa.table(converted.arrays).filter(pa.array(keep)), records.index[keep]
    )
    first_line = int(lines.numbers[0]) if len(lines.numbers) else 0
    origin = Origin(spec.number, lines.path, first_line, lines.offset)
    return ParsedRecords(
        _append_origin(table, lines, index, spec),
        rejected,
        origin,
        converted.unreadable,
        converted.assumed_utc,
        converted.unnamed_kinds,
        lines.comments,
        lines.read,
        unused,
    )


def build_empty_table(fields: Sequence[Field]) -> pa.Table:
    """Returns a table without records, with the column types of `parse_lines`."""
    empty = pa.array([], pa.large_string())
    return pa.table(
        {field.name: field.convert(*[empty] * len(field.columns)).array for field in fields}
    )


def _build_letter(lines: Lines, n: int, fault: Fault) -> DeadLetter:
    number, raw = int(lines.numbers[n]), lines.texts[n]
    return DeadLetter(lines.path, number, fault.reason, raw, lines.row_group, fault.detail)


def _sort_by_line(table: pa.Table, index: np.ndarray) -> tuple[pa.Table, np.ndarray]:
    """Sorts rows by their lines `index` [rows]; a parser may read quoted lines last."""
    if (index[1:] >= index[:-1]).all():
        return table, index
    order = np.argsort(index, kind="stable")
    return table.take(pa.array(order)), index[order]


def _append_origin(table: pa.Table, lines: Lines, index: np.ndarray, spec: TableSpec) -> pa.Table:
    for name in spec.origin:
        table = table.append_column(name, _build_origin(name, lines, index, spec))
    return table


def _build_origin(name: str, lines: Lines, index: np.ndarray, spec: TableSpec) -> pa.Array:
    if name == TABLE:
        return pa.array(np.full(len(index), spec.number, np.int8))
    if name == ROW_GROUP:
        return pa.array([lines.row_group] * len(index), pa.int64())
    if name == LINE:
        return pa.array(lines.numbers[index])
    if name == FILE:
        return pa.array([lines.path] * len(index), pa.large_string())
    if spec.withholds_raw:
        return pa.array([WITHHELD] * len(index), pa.large_string())
    assert name == RAW, f"expected FILE, LINE or RAW, received {name!r}"
    return pa.array([lines.texts[n] for n in index], pa.large_string())


class BlockParser:
    """Parses blocks, row groups and matrices; it caches the layouts of delimited files."""

    def __init__(self, spec: TableSpec) -> None:
        self._spec = spec
        self._layouts: dict[str, Layout] = {}

    def parse(self, element: Block | RowGroup | MatrixFile) -> Iterator[ParsedRecords]:
        """Yields the parsed records in batches."""
        if isinstance(element, Block):
            layout = self._find_layout(element.path)
            lines = self._decode(element, layout.header_line)
            yield parse_lines(lines, layout.names, self._spec)
            return
        for rows, records in self._read_columns(element):
            yield accept_records(rows, records, self._spec)

    def _read_columns(self, element: RowGroup | MatrixFile) -> Iterator[tuple[Lines, Records]]:
        columns = list_source_columns(self._spec)
        if isinstance(element, RowGroup):
            return read_row_group(element, columns)
        assert isinstance(self._spec.source, InteractionsSource), "only events are in matrices"
        return read_matrix(element, self._spec.source, columns)

    def _decode(self, block: Block, header_line: int) -> Lines:
        source = self._spec.source
        if source.format == "json":
            return decode_objects(block, source.byte_encoding)
        lines = decode_block(block, source.byte_encoding, header_line, build_dialect(source))
        expand = {"sequences": expand_sequences, "lists": expand_lists}.get(source.format)
        return lines if expand is None else expand(lines)

    def _find_layout(self, path: str) -> Layout:
        """Layout of delimited text; an empty one for other formats."""
        if self._spec.source.format != "csv":
            return Layout([], 0)
        if path not in self._layouts:
            self._layouts[path] = read_layout(path, self._spec.source)
        return self._layouts[path]
