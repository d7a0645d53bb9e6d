"""One Parquet file: its row groups, in batches of bounded size."""

import contextlib
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import BeamIOError

from components.ingest.read.compression import open_raw

BATCH_ROWS = 1 << 17


class DamagedParquetError(Exception):
    """The file, or a part of it, is not what Parquet says it should be."""


def read_column_names(path: str) -> list[str] | None:
    """Names of the top-level columns; None of a damaged file."""
    try:
        with _open(path) as file:
            return file.schema_arrow.names
    except DamagedParquetError:
        return None


def count_group_rows(path: str) -> list[int]:
    """Rows of each row group. Raises Damaged where the file cannot say."""
    with _open(path) as file:
        metadata = file.metadata
        return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]


def read_batches(path: str, group: int, columns: Sequence[str] | None) -> Iterator[pa.Table]:
    """The rows of a row group in order, BATCH_ROWS at most at a time; `columns` None means all.

    Raises Damaged where the data cannot be read; batches before it have been yielded.
    """
    with _open(path) as file:
        names = None if columns is None else list(columns)
        for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=names):
            yield pa.Table.from_batches([batch])


@contextlib.contextmanager
def _open(path: str) -> Iterator[pq.ParquetFile]:
    with open_raw(path) as handle, _translate_damage(path):
        yield pq.ParquetFile(handle)


@contextlib.contextmanager
def _translate_damage(path: str) -> Iterator[None]:
    """Arrow says OSError of broken bytes too; the file system's have a number or are Beam's."""
    try:
        yield
    except BeamIOError:
        raise
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DamagedParquetError(f"{path}: {error}") from error
