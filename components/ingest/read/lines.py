"""A block's lines as text, each with its number."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from components.ingest.read.blocks import Block
from components.ingest.read.quoting import Dialect
from components.ingest.read.record_ends import find_record_bounds
from components.ingest.read.records import DAMAGED_FILE, INVALID_ENCODING, DeadLetter

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Lines(NamedTuple):
    """The records of a block; empty lines, comments and the header are not records."""

    path: str
    texts: Sequence[str]
    numbers: np.ndarray
    """int64 [len(texts)]: number of each line in its file, from 1."""
    rejected: list[DeadLetter]
    """Records that cannot be decoded, or that are cut off in a damaged file."""
    row_group: int | None = None
    """Row group in a Parquet file, from 0; None for text."""
    comments: int = 0
    """Number of comment lines in the block."""
    offset: int = 0
    """Position of the block in its file; 0 in Parquet files."""

    @property
    def read(self) -> int:
        """Number of records in the block."""
        return len(self.texts) + len(self.rejected)


def decode_block(
    block: Block, encoding: str, header_line: int = 0, dialect: Dialect | None = None
) -> Lines:
    """Decodes a block to lines without byte order mark, line ends (LF or CRLF), empty lines,
    comments and header. A record of several lines becomes one text with the number of its first
    line.

    Args:
        block: Bytes of the block.
        encoding: Text encoding.
        header_line: Number of the header's first line, from 1; 0 if the file has no header.
        dialect: Dialect of delimited text; None for other formats.
    """
    if block.damaged:
        raw = block.data.decode(encoding, "backslashreplace")
        letter = DeadLetter(block.path, block.first_line, DAMAGED_FILE, raw)
        return Lines(block.path, [], np.zeros(0, np.int64), [letter], offset=block.offset)
    data = block.data
    if block.offset == 0:
        data = data.removeprefix(BYTE_ORDER_MARK)
    several = find_record_bounds(data, dialect, is_whole=True).several_lines
    comment = b"" if dialect is None else dialect.comment.encode(encoding)
    comments = 0
    if several or (comment and comment in data):
        lines = _join_records(data, several)
        comments = _blank_comments(lines, comment)
        texts, rejected = _decode_each(lines, encoding, block)
    else:
        texts, rejected = _decode_all(data, encoding, block)
    if block.first_line <= header_line < block.first_line + len(texts):
        texts[header_line - block.first_line] = ""
    numbers = [n for n, text in enumerate(texts, block.first_line) if text]
    records = [text for text in texts if text]
    lines = Lines(block.path, records, np.array(numbers, np.int64), rejected, offset=block.offset)
    return lines._replace(comments=comments)


def _blank_comments(lines: list[bytes], comment: bytes) -> int:
    """Empties the lines that begin with `comment`; returns their number."""
    found = [n for n, line in enumerate(lines) if comment and line.startswith(comment)]
    for n in found:
        lines[n] = b""
    return len(found)


def _join_records(data: bytes, several: list[tuple[int, int]]) -> list[bytes]:
    """Returns the lines; the first one of a longer record holds all of it, the others are empty."""
    lines = data.split(b"\n")
    ends = np.cumsum([len(line) + 1 for line in lines])
    for start, end in several:
        first, last = np.searchsorted(ends, [start, end - 1], side="right")
        whole = b"\n".join(line.removesuffix(b"\r") for line in lines[first : last + 1])
        lines[first : last + 1] = [whole] + [b""] * (last - first)
    return lines


def _decode_all(data: bytes, encoding: str, block: Block) -> tuple[list[str], list[DeadLetter]]:
    try:
        texts = data.decode(encoding).split("\n")
    except UnicodeDecodeError:
        return _decode_each(data.split(b"\n"), encoding, block)
    if b"\r" in data:
        texts = [text.removesuffix("\r") for text in texts]
    return texts, []


def _decode_each(
    lines: list[bytes], encoding: str, block: Block
) -> tuple[list[str], list[DeadLetter]]:
    """As `_decode_all`, with an empty text in place of each line that does not decode."""
    texts, rejected = [], []
    stripped = (line.removesuffix(b"\r") for line in lines)
    for number, line in enumerate(stripped, block.first_line):
        try:
            texts.append(line.decode(encoding))
        except UnicodeDecodeError:
            texts.append("")
            raw = line.decode(encoding, "backslashreplace")
            rejected.append(DeadLetter(block.path, number, INVALID_ENCODING, raw))
    return texts, rejected
