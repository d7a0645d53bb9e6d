"""One Parquet file: its row groups, in batches of bounded size."""

import contextlib
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import BeamIOError

from components.ingest.read.compression import open_raw
from components.ingest.read.nested.arrow_path import list_leaves

BATCH_ROWS = 1 << 17


class DamagedParquetError(Exception):
    """The file, or a part of it, is not valid Parquet."""


def read_schema(path: str) -> pa.Schema | None:
    """Returns the Arrow schema; None for a damaged file."""
    try:
        with _open(path) as file:
            return file.schema_arrow
    except DamagedParquetError:
        return None


def count_group_rows(path: str) -> list[int]:
    """Returns the number of rows of each row group; raises DamagedParquetError if unreadable."""
    with _open(path) as file:
        metadata = file.metadata
        return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]


def read_batches(path: str, group: int, columns: Sequence[str] | None) -> Iterator[pa.Table]:
    """Yields the rows of a row group in batches of at most BATCH_ROWS.

    `columns` are names and paths, of which the existing ones are read; all columns if none exists,
    or for None. Raises DamagedParquetError if the data cannot be read, after the readable batches.
    """
    with _open(path) as file:
        names = None if columns is None else list_leaves(file.schema_arrow, columns) or None
        for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=names):
            yield pa.Table.from_batches([batch])


@contextlib.contextmanager
def _open(path: str) -> Iterator[pq.ParquetFile]:
    with open_raw(path) as handle, _translate_damage(path):
        yield pq.ParquetFile(handle)


@contextlib.contextmanager
def _translate_damage(path: str) -> Iterator[None]:
    """Arrow also raises OSError for corrupt data, without an errno, which file systems set."""
    try:
        yield
    except BeamIOError:
        raise
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DamagedParquetError(f"{path}: {error}") from error
