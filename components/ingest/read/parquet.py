"""Row groups of Parquet files, distributed to Beam's workers, and the records in them."""

import itertools
import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.read import parquet_file
from components.ingest.read.lines import Lines
from components.ingest.read.number_text import is_number_type
from components.ingest.read.records import (
    DAMAGED_FILE,
    INVALID_ENCODING,
    DeadLetter,
    Fault,
    Records,
    Values,
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
        yield Lines(row_group.path, texts, numbers, [], row_group.group), _build_records(table)
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


def _build_records(table: pa.Table) -> Records:
    columns, faults = {}, np.zeros(table.num_rows, bool)
    for name in table.column_names:
        array = table[name].combine_chunks()
        columns[name], bad = normalize_column(array)
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


def normalize_column(array: pa.Array) -> tuple[Values, np.ndarray]:
    """Returns values [n], and bool [n]: whether the value is not valid UTF-8 and therefore null.

    Timestamps keep their resolution, and dates become timestamps; without a time zone they are UTC,
    as most engines write them. Other types (structs, lists of text, maps) become Python objects, as
    from JSON.
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return normalize_column(array.dictionary_decode())
    if _is_text(kind):
        return _decode_texts(array)
    clean = np.zeros(len(array), bool)
    if pa.types.is_date(kind):
        return pc.cast(array, pa.timestamp("s" if pa.types.is_date32(kind) else "ms")), clean
    if pa.types.is_timestamp(kind):
        return array, clean
    if is_number_type(kind) or (pa.types.is_list(kind) and is_number_type(kind.value_type)):
        return array, clean
    return _build_objects(array)


def _is_text(kind: pa.DataType) -> bool:
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def _decode_texts(array: pa.Array) -> tuple[Values, np.ndarray]:
    raw = pc.cast(array, pa.large_binary())  # Arrow does not check that text in a file is UTF-8
    try:
        return pc.cast(raw, pa.large_string()), np.zeros(len(array), bool)
    except pa.ArrowInvalid:
        texts = [_decode_text(value) for value in raw.to_pylist()]
    bad = raw.is_valid().to_numpy(zero_copy_only=False) & np.array([t is None for t in texts], bool)
    return pa.array(texts, pa.large_string()), bad


def _build_objects(array: pa.Array) -> tuple[Values, np.ndarray]:
    try:
        return array.to_pylist(), np.zeros(len(array), bool)
    except UnicodeDecodeError:  # somewhere within a list or a struct
        values = [_build_object(scalar) for scalar in array]
    bad = array.is_valid().to_numpy(False) & np.array([value is None for value in values], bool)
    return values, bad


def _build_object(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return None


def _decode_text(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
