"""Files as blocks of whole lines: the units of work that Beam distributes to its workers."""

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
    """Position of its first byte in the (decompressed) file."""
    data: bytes
    """The lines with their ends; the last line of the file may have none."""
    damaged: bool = False
    """`data` is the rest of a damaged compressed file, which may be incomplete lines."""


class BlockRange(NamedTuple):
    """Position of a block in its file, without its bytes."""

    path: str
    first_line: int
    offset: int
    length: int


class ReadBlocks(beam.PTransform):
    """Paths -> `Block`s.

    An uncompressed file is scanned once for its line numbers, then all workers read ranges of it. A
    compressed file can only be read from its start, so one worker reads all of it. The bytes
    themselves never pass through a shuffle.
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
    """Yields pairs: about `size` bytes, and whether the stream is damaged after them."""
    parts: list[bytes] = []
    size_read = 0
    while True:
        try:
            # One decompression at a time: `read` would lose the bytes before a damaged part.
            part = handle.read1(size)
        except DAMAGE_ERRORS:
            yield b"".join(parts), True
            return
        parts.append(part)
        size_read += len(part)
        if size_read >= size or not part:
            yield b"".join(parts), False
            parts, size_read = [], 0
        if not part:
            return


def _find_ranges(path: str, dialect: Dialect | None, block_bytes: int) -> Iterator[BlockRange]:
    if is_compressed(path):
        yield BlockRange(path, 1, 0, _WHOLE_FILE)
        return
    with open_decompressed(path) as handle:
        for block in split_blocks(path, handle, block_bytes, dialect):
            yield BlockRange(path, block.first_line, block.offset, len(block.data))


def _load_blocks(
    block_range: BlockRange, dialect: Dialect | None, block_bytes: int
) -> Iterator[Block]:
    with open_decompressed(block_range.path) as handle:
        if block_range.length == _WHOLE_FILE:
            yield from split_blocks(block_range.path, handle, block_bytes, dialect)
            return
        handle.seek(block_range.offset)
        data = handle.read(block_range.length)
    if len(data) != block_range.length:
        raise OSError(
            f"{block_range.path} changed while it was read: expected {block_range.length} bytes "
            f"at {block_range.offset}, received {len(data)}; run again"
        )
    yield Block(block_range.path, block_range.first_line, block_range.offset, data)
