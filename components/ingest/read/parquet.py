"""Row groups of Parquet files: the elements that the workers share out, and their records."""

import itertools
import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa

from components.ingest import parquet_values
from components.ingest.read import parquet_file
from components.ingest.read.lines import Lines
from components.ingest.read.records import Records
from components.ingest.rejection import DAMAGED_FILE, INVALID_ENCODING, Fault, Rejected


class RowGroup(NamedTuple):
    """Where some rows lie, without the rows."""

    path: str
    group: int | None
    """None of a file that cannot say what it holds."""
    first_row: int
    """Number of the first row in the file, from 1."""
    rows: int


class ReadRowGroups(beam.PTransform):
    """Paths -> `RowGroup`s, shared out among the workers; the rows never pass through a shuffle."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__()
        self._paths = paths

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """PBegin -> PCollection of RowGroup."""
        return (
            pipeline
            | "Paths" >> beam.Create(self._paths)
            | "SharePaths" >> beam.Reshuffle()
            | "RowGroups" >> beam.FlatMap(row_groups)
            | "ShareRowGroups" >> beam.Reshuffle()
        )


class RowTexts(Sequence):
    """Rows as JSON text, made when asked for: only a refused row shows how it stood there."""

    def __init__(self, path: str, group: int, batch: int, rows: int) -> None:
        """Rows of one batch of `parquet_file.batches`."""
        self._path, self._group, self._batch, self._rows = path, group, batch, rows
        self._table: pa.Table | None = None

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, row: Any) -> str:
        try:
            table = self._load()
        except parquet_file.Damaged:  # in a column that nobody asked for until now
            return ""
        columns = zip(table.column_names, table.columns, strict=True)  # a name may stand twice
        record = {name: _cell(column, row) for name, column in columns}
        return json.dumps(record, default=_shown, ensure_ascii=False)

    def _load(self) -> Any:
        if self._table is None:
            every = parquet_file.batches(self._path, self._group, None)
            self._table = next(itertools.islice(every, self._batch, None))
        return self._table


def row_groups(path: str) -> Iterator[RowGroup]:
    """The row groups of one file; of a damaged file one without a number and with one row."""
    try:
        rows = parquet_file.group_rows(path)
    except parquet_file.Damaged:
        yield RowGroup(path, None, 1, 1)
        return
    first = 1
    for group, count in enumerate(rows):
        yield RowGroup(path, group, first, count)
        first += count


def read(where: RowGroup, wanted: Collection[str]) -> Iterator[tuple[Lines, Records]]:
    """Batches of a row group: its rows, numbered as in the file, and the columns `wanted`.

    Rows of a damaged row group, or file, are rejected, all that the file says it has.
    """
    if where.group is None:
        yield _damaged(where, 0, wanted)
        return
    done = 0
    for batch, table in enumerate(_batches(where.path, where.group, wanted)):
        numbers = np.arange(table.num_rows) + where.first_row + done
        texts = RowTexts(where.path, where.group, batch, table.num_rows)
        done += table.num_rows
        yield Lines(where.path, texts, numbers, [], where.group), _records(table)
    if done < where.rows:
        yield _damaged(where, done, wanted)


def _batches(path: str, group: int, wanted: Collection[str]) -> Iterator[pa.Table]:
    """As many as can be read."""
    try:
        yield from parquet_file.batches(path, group, sorted(wanted))
    except parquet_file.Damaged:
        return


def _damaged(where: RowGroup, done: int, wanted: Collection[str]) -> tuple[Lines, Records]:
    numbers = range(where.first_row + done, where.first_row + where.rows)
    letters = [Rejected(where.path, n, DAMAGED_FILE, "", where.group) for n in numbers]
    nothing = np.zeros(0, np.int64)
    columns = {name: pa.array([], pa.large_string()) for name in wanted}
    return Lines(where.path, [], nothing, letters, where.group), Records(columns, nothing, {})


def _records(table: pa.Table) -> Records:
    columns, faults = {}, np.zeros(table.num_rows, bool)
    for name in table.column_names:
        array = table[name].combine_chunks()
        columns[name], bad = parquet_values.as_values(array)
        faults |= bad
    index = np.flatnonzero(~faults)
    if faults.any():
        columns = {name: _some(values, index) for name, values in columns.items()}
    return Records(
        columns, index, {int(n): Fault(INVALID_ENCODING) for n in np.flatnonzero(faults)}
    )


def _some(values: Any, index: np.ndarray) -> Any:
    if isinstance(values, list):
        return [values[n] for n in index]
    return values.take(pa.array(index))


def _cell(column: pa.ChunkedArray, row: int) -> Any:
    cell = column[row]
    if pa.types.is_string(cell.type) and cell.is_valid:
        return _shown(cell.as_buffer().to_pybytes())
    return cell.as_py()


def _shown(value: Any) -> Any:
    """What JSON has no form for."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)
