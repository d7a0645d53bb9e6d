"""Sparse matrices of users × items in files of `scipy.sparse.save_npz`, and their records."""

import io
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from components.ingest.read.compression import open_raw
from components.ingest.read.lines import Lines
from components.ingest.read.pairs.columns import list_pair_columns
from components.ingest.read.records import DAMAGED_FILE, DeadLetter, Records
from schema.sources import InteractionsSource

_BATCH = 1 << 18
_DAMAGE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,  # damaged bytes of a compressed array
    EOFError,  # a truncated array
    KeyError,  # an archive of other arrays
    ValueError,  # arrays that make no matrix, or Python objects
    OSError,
)


class MatrixFile(NamedTuple):
    """A file with one matrix; a unit of work for Beam's workers."""

    path: str


class ReadMatrices(beam.PTransform):
    """Paths -> `MatrixFile`s, distributed to the workers."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__()
        self._paths = paths

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """PBegin -> PCollection of MatrixFile."""
        files = [MatrixFile(path) for path in self._paths]
        return pipeline | "Paths" >> beam.Create(files) | "SharePaths" >> beam.Reshuffle()


class _EntryTexts(Sequence):
    """Entries as text, `row column value`, created lazily: only rejected entries need it."""

    def __init__(self, entries: sparse.coo_matrix, begin: int, end: int) -> None:
        parts = (entries.row, entries.col, entries.data)
        self._row, self._column, self._value = (part[begin:end] for part in parts)

    def __len__(self) -> int:
        return len(self._row)

    def __getitem__(self, n: Any) -> str:
        return f"{self._row[n]} {self._column[n]} {self._value[n]}"


def read_matrix(
    file: MatrixFile, source: InteractionsSource, selected: Collection[str]
) -> Iterator[tuple[Lines, Records]]:
    """Yields batches of a matrix's entries, numbered from 1 by row and column, and their columns
    `selected`. Zeros are no entries, and the values of an entry that is stored twice are added.

    A file that is damaged or no matrix is one rejected record.
    """
    try:
        entries = _load(file.path)
    except _DAMAGE_ERRORS as error:
        yield _reject_file(file, str(error), source)
        return
    for begin in range(0, entries.nnz, _BATCH):
        end = min(begin + _BATCH, entries.nnz)
        texts = _EntryTexts(entries, begin, end)
        columns = _build_columns(entries, begin, end, source)
        chosen = {name: values for name, values in columns.items() if name in selected}
        yield (
            Lines(file.path, texts, np.arange(begin, end) + 1, []),
            Records(chosen, np.arange(end - begin), {}),
        )


def _load(path: str) -> sparse.coo_matrix:
    with open_raw(path) as handle:
        matrix = sparse.csr_matrix(sparse.load_npz(io.BytesIO(handle.read())))
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return sparse.coo_matrix(matrix)


def _build_columns(
    entries: sparse.coo_matrix, begin: int, end: int, source: InteractionsSource
) -> dict[str, pa.Array]:
    values = entries.data[begin:end]
    if values.dtype == bool:
        values = values.astype(np.int8)
    arrays = (
        pc.cast(pa.array(entries.row[begin:end]), pa.large_string()),
        pc.cast(pa.array(entries.col[begin:end]), pa.large_string()),
        pa.array(values),
    )
    return dict(zip(list_pair_columns(source), arrays, strict=True))


def _reject_file(file: MatrixFile, why: str, source: InteractionsSource) -> tuple[Lines, Records]:
    letter = DeadLetter(
        file.path, 1, DAMAGED_FILE, "", detail=f"expected a sparse matrix of SciPy, received {why}"
    )
    empty = np.zeros(0, np.int64)
    columns = {name: pa.array([], pa.large_string()) for name in list_pair_columns(source)}
    return Lines(file.path, [], empty, [letter]), Records(columns, empty, {})
