"""Files as blocks of whole lines: the units of work that Beam distributes to its workers."""

from collections.abc import Iterator
from io import BufferedIOBase
from typing import Literal, NamedTuple, Union

import apache_beam as beam

from components.ingest.read.compression import DAMAGE_ERRORS, open_decompressed
from components.ingest.read.objects.object_bounds import find_last_object_end
from components.ingest.read.quoting import Dialect, build_dialect
from components.ingest.read.record_ends import find_record_bounds
from components.ingest.read.text_stream import end_lines, is_seekable, open_text
from schema.sources import Source

BLOCK_BYTES = 8 << 20
_WHOLE_FILE = -1

OBJECTS: Literal["objects"] = "objects"
Splitter = Union[Dialect, Literal["objects"], None]
"""What ends a record: a line end outside of a dialect's quotes, the closing brace of an object, or
any line end."""


class Block(NamedTuple):
    """Some whole records of one file; whole lines, unless an object ends within one."""

    path: str
    first_line: int
    """Number of the first line, from 1."""
    offset: int
    """Position of its first byte in the text, see `text_stream.open_text`."""
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


def build_splitter(source: Source) -> Splitter:
    """Returns what ends a record of the source."""
    return OBJECTS if source.format == "json" else build_dialect(source)


class ReadBlocks(beam.PTransform):
    """Paths -> `Block`s.

    A file is scanned once for its line numbers, then all workers read ranges of it. Compressed text
    and UTF-16 can only be read from the start, so one worker reads all of such a file. The bytes
    themselves never pass through a shuffle.
    """

    def __init__(self, paths: list[str], encoding: str, splitter: Splitter) -> None:
        super().__init__()
        self._paths = paths
        self._encoding = encoding
        self._splitter = splitter

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """PBegin -> PCollection of Block."""
        return (
            pipeline
            | "Paths" >> beam.Create(self._paths)
            | "SharePaths" >> beam.Reshuffle()
            | "Ranges" >> beam.FlatMap(_find_ranges, self._encoding, self._splitter)
            | "ShareRanges" >> beam.Reshuffle()
            | "Load" >> beam.FlatMap(_load_blocks, self._encoding, self._splitter)
        )


def split_blocks(
    path: str, handle: BufferedIOBase, block_bytes: int, splitter: Splitter = None
) -> Iterator[Block]:
    """Splits a file into blocks at ends of lines, or of records that can have several lines.

    Args:
        path: Path of the file.
        handle: The text, see `text_stream.open_text`.
        block_bytes: Approximate size of a block.
        splitter: What ends a record, see `build_splitter`.
    """
    line, offset, pending = 1, 0, b""
    skipped = splitter.skip_lines if isinstance(splitter, Dialect) else 0
    for chunk, damaged in _read_chunks(handle, block_bytes):
        pending += chunk
        if line <= skipped:
            end = _find_skipped_end(pending, skipped + 1 - line)
            line, offset, pending = line + pending.count(b"\n", 0, end), offset + end, pending[end:]
        end = _find_last_end(pending, splitter) if line > skipped else 0
        if end:
            data, pending = pending[:end], pending[end:]
            yield Block(path, line, offset, data)
            line += data.count(b"\n")
            offset += end
        if damaged:
            yield Block(path, line, offset, pending, damaged=True)
            return
    if pending and line > skipped:
        yield Block(path, line, offset, pending)


def _find_skipped_end(data: bytes, lines: int) -> int:
    """Returns the end of the first `lines` lines, or of the last complete one of fewer."""
    end = 0
    for _ in range(lines):
        newline = data.find(b"\n", end)
        if newline < 0:
            break
        end = newline + 1
    return end


def _find_last_end(data: bytes, splitter: Splitter) -> int:
    if splitter == OBJECTS:
        return find_last_object_end(data)
    open_from = find_record_bounds(data, splitter, is_whole=False).open_from
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


def _find_ranges(path: str, encoding: str, splitter: Splitter) -> Iterator[BlockRange]:
    if not is_seekable(path, encoding):
        yield BlockRange(path, 1, 0, _WHOLE_FILE)
        return
    for block in read_blocks(path, encoding, splitter):
        yield BlockRange(path, block.first_line, block.offset, len(block.data))


def read_blocks(path: str, encoding: str, splitter: Splitter) -> Iterator[Block]:
    """Reads one file from start to end."""
    with open_text(path, encoding) as handle:
        yield from split_blocks(path, handle, BLOCK_BYTES, splitter)


def _load_blocks(block_range: BlockRange, encoding: str, splitter: Splitter) -> Iterator[Block]:
    if block_range.length == _WHOLE_FILE:
        yield from read_blocks(block_range.path, encoding, splitter)
        return
    with open_decompressed(block_range.path) as handle:
        handle.seek(block_range.offset)
        data = handle.read(block_range.length)
    if len(data) != block_range.length:
        raise OSError(
            f"{block_range.path} changed while it was read: expected {block_range.length} bytes "
            f"at {block_range.offset}, received {len(data)}; run again"
        )
    yield Block(block_range.path, block_range.first_line, block_range.offset, end_lines(data))
