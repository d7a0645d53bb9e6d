"""Files as blocks of whole lines: the elements that the workers share out among themselves."""

from collections.abc import Iterator
from io import BufferedIOBase
from typing import NamedTuple

import apache_beam as beam

from components.ingest.read.compression import DAMAGE_ERRORS, is_compressed, open_decompressed
from components.ingest.read.quoting import Dialect
from components.ingest.read.record_ends import find_record_bounds

BLOCK_BYTES = 8 << 20
_WHOLE_FILE = -1


class Block(NamedTuple):
    """Some whole lines, and whole records, of one file."""

    path: str
    first_line: int
    """Number of the first line, from 1."""
    offset: int
    """Bytes of the (unpacked) file before it."""
    data: bytes
    """The lines, each with its end of line but perhaps the last of the file."""
    damaged: bool = False
    """`data` is what was left, whole line or not, when a packed file turned out damaged."""


class BlockRange(NamedTuple):
    """Where a block lies, without its bytes."""

    path: str
    first_line: int
    offset: int
    length: int


class ReadBlocks(beam.PTransform):
    """Paths -> `Block`s.

    A plain file is scanned once for its line numbers and then read in ranges by as many workers as
    there are. A packed file can only be read from its start, so one worker takes all of it. The
    bytes themselves never pass through a shuffle.
    """

    def __init__(
        self, paths: list[str], dialect: Dialect | None, block_bytes: int = BLOCK_BYTES
    ) -> None:
        super().__init__()
        self._paths = paths
        self._dialect = dialect
        self._block_bytes = block_bytes

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """PBegin -> PCollection of Block."""
        return (
            pipeline
            | "Paths" >> beam.Create(self._paths)
            | "SharePaths" >> beam.Reshuffle()
            | "Ranges" >> beam.FlatMap(_find_ranges, self._dialect, self._block_bytes)
            | "ShareRanges" >> beam.Reshuffle()
            | "Load" >> beam.FlatMap(_load_blocks, self._dialect, self._block_bytes)
        )


def split_blocks(
    path: str, handle: BufferedIOBase, block_bytes: int, dialect: Dialect | None = None
) -> Iterator[Block]:
    """Splits a file into blocks at ends of lines; in delimited text, at ends of records.

    Args:
        path: Path of the file.
        handle: The decompressed file.
        block_bytes: Approximate size of a block.
        dialect: Dialect of delimited text; None for other formats.
    """
    line, offset, pending = 1, 0, b""
    for chunk, damaged in _read_chunks(handle, block_bytes):
        pending += chunk
        end = _find_last_end(pending, dialect)
        if end:
            data, pending = pending[:end], pending[end:]
            yield Block(path, line, offset, data)
            line += data.count(b"\n")
            offset += end
        if damaged:
            yield Block(path, line, offset, pending, damaged=True)
            return
    if pending:
        yield Block(path, line, offset, pending)


def _find_last_end(data: bytes, dialect: Dialect | None) -> int:
    open_from = find_record_bounds(data, dialect, is_whole=False).open_from
    return data.rfind(b"\n", 0, open_from) + 1


def _read_chunks(handle: BufferedIOBase, size: int) -> Iterator[tuple[bytes, bool]]:
    """(`size` bytes or so, whether the stream broke after them)."""
    parts: list[bytes] = []
    held = 0
    while True:
        try:
            # One decompression at a time: `read` would drop what it holds when the next one fails.
            part = handle.read1(size)
        except DAMAGE_ERRORS:
            yield b"".join(parts), True
            return
        parts.append(part)
        held += len(part)
        if held >= size or not part:
            yield b"".join(parts), False
            parts, held = [], 0
        if not part:
            return


def _find_ranges(path: str, dialect: Dialect | None, block_bytes: int) -> Iterator[BlockRange]:
    if is_compressed(path):
        yield BlockRange(path, 1, 0, _WHOLE_FILE)
        return
    with open_decompressed(path) as handle:
        for block in split_blocks(path, handle, block_bytes, dialect):
            yield BlockRange(path, block.first_line, block.offset, len(block.data))


def _load_blocks(where: BlockRange, dialect: Dialect | None, block_bytes: int) -> Iterator[Block]:
    with open_decompressed(where.path) as handle:
        if where.length == _WHOLE_FILE:
            yield from split_blocks(where.path, handle, block_bytes, dialect)
            return
        handle.seek(where.offset)
        data = handle.read(where.length)
    if len(data) != where.length:
        raise OSError(
            f"{where.path} changed while it was read: expected {where.length} bytes "
            f"at {where.offset}, received {len(data)}; run again"
        )
    yield Block(where.path, where.first_line, where.offset, data)
