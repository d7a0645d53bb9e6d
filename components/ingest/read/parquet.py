"""Row groups of Parquet files, distributed to Beam's workers, and the records in them."""

import itertools
import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa

from components.ingest.read import parquet_file
from components.ingest.read.lines import Lines
from components.ingest.read.parquet_column import read_column
from components.ingest.read.records import (
    DAMAGED_FILE,
    INVALID_ENCODING,
    DeadLetter,
    Fault,
    Records,
)


class RowGroup(NamedTuple):
    """Position of a row group in its file, without the rows."""

    path: str
    group: int | None
    """Number of the row group; None for a damaged file."""
    first_row: int
    """Number of the first row in the file, from 1."""
    rows: int


class ReadRowGroups(beam.PTransform):
    """Paths -> `RowGroup`s, distributed to the workers; the rows never pass through a shuffle."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__()
        self._paths = paths

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """PBegin -> PCollection of RowGroup."""
        return (
            pipeline
            | "Paths" >> beam.Create(self._paths)
            | "SharePaths" >> beam.Reshuffle()
            | "RowGroups" >> beam.FlatMap(list_row_groups)
            | "ShareRowGroups" >> beam.Reshuffle()
        )


class RowTexts(Sequence):
    """Rows as JSON text, created lazily: only rejected rows need it."""

    def __init__(self, path: str, group: int, batch: int, rows: int) -> None:
        """Rows of one batch of `parquet_file.read_batches`."""
        self._path, self._group, self._batch, self._rows = path, group, batch, rows
        self._table: pa.Table | None = None

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, row: Any) -> str:
        try:
            table = self._load()
        except parquet_file.DamagedParquetError:  # in a column that was not read until now
            return ""
        columns = zip(table.column_names, table.columns, strict=True)  # a name may occur twice
        record = {name: _read_cell(column, row) for name, column in columns}
        return json.dumps(record, default=_to_json, ensure_ascii=False)

    def _load(self) -> Any:
        if self._table is None:
            batches = parquet_file.read_batches(self._path, self._group, None)
            self._table = next(itertools.islice(batches, self._batch, None))
        return self._table


def list_row_groups(path: str) -> Iterator[RowGroup]:
    """Yields the row groups of one file; for a damaged file, one with number None and one row."""
    try:
        rows = parquet_file.count_group_rows(path)
    except parquet_file.DamagedParquetError:
        yield RowGroup(path, None, 1, 1)
        return
    first = 1
    for group, count in enumerate(rows):
        yield RowGroup(path, group, first, count)
        first += count


def read_row_group(row_group: RowGroup, names: Collection[str]) -> Iterator[tuple[Lines, Records]]:
    """Yields batches of a row group: its rows, numbered as in the file, and the columns `names`.

    All declared rows of a damaged row group or file are rejected.
    """
    if row_group.group is None:
        yield _reject_rest(row_group, 0, names)
        return
    rows_read = 0
    for batch, table in enumerate(_read_batches(row_group.path, row_group.group, names)):
        numbers = np.arange(table.num_rows) + row_group.first_row + rows_read
        texts = RowTexts(row_group.path, row_group.group, batch, table.num_rows)
        rows_read += table.num_rows
        lines = Lines(row_group.path, texts, numbers, [], row_group.group)
        yield lines, _build_records(table, names)
    if rows_read < row_group.rows:
        yield _reject_rest(row_group, rows_read, names)


def _read_batches(path: str, group: int, names: Collection[str]) -> Iterator[pa.Table]:
    """Yields the readable batches."""
    try:
        yield from parquet_file.read_batches(path, group, sorted(names))
    except parquet_file.DamagedParquetError:
        return


def _reject_rest(
    row_group: RowGroup, rows_read: int, names: Collection[str]
) -> tuple[Lines, Records]:
    numbers = range(row_group.first_row + rows_read, row_group.first_row + row_group.rows)
    letters = [DeadLetter(row_group.path, n, DAMAGED_FILE, "", row_group.group) for n in numbers]
    empty = np.zeros(0, np.int64)
    columns = {name: pa.array([], pa.large_string()) for name in names}
    return Lines(row_group.path, [], empty, letters, row_group.group), Records(columns, empty, {})


def _build_records(table: pa.Table, names: Collection[str]) -> Records:
    columns, faults = {}, np.zeros(table.num_rows, bool)
    for name in names:
        column = read_column(table, name)
        if column is not None:
            columns[name], bad = column
            faults |= bad
    index = np.flatnonzero(~faults)
    if faults.any():
        columns = {name: _select_rows(values, index) for name, values in columns.items()}
    return Records(
        columns, index, {int(n): Fault(INVALID_ENCODING) for n in np.flatnonzero(faults)}
    )


def _select_rows(values: Any, index: np.ndarray) -> Any:
    if isinstance(values, list):
        return [values[n] for n in index]
    return values.take(pa.array(index))


def _read_cell(column: pa.ChunkedArray, row: int) -> Any:
    cell = column[row]
    if pa.types.is_string(cell.type) and cell.is_valid:
        return _to_json(cell.as_buffer().to_pybytes())
    return cell.as_py()


def _to_json(value: Any) -> Any:
    """Converts a value that JSON does not support to text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)
