"""Text files opened for reading: decompressed, UTF-16 as UTF-8, each line with a line feed."""

import codecs
import contextlib
import itertools
import re
from collections.abc import Iterator
from io import BufferedIOBase, BufferedReader, RawIOBase
from typing import Any

from components.ingest.read.compression import is_compressed, open_decompressed
from schema.sources.encodings import UTF_8, is_utf_16

_PIECE_BYTES = 1 << 20
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_BY_MARK = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_UNDECODABLE = b"\xff"  # in UTF-8


def is_seekable(path: str, encoding: str) -> bool:
    """Returns whether the text has the length of the file; otherwise it can only be read from the
    start.
    """
    return not is_utf_16(encoding) and not is_compressed(path)


@contextlib.contextmanager
def open_text(path: str, encoding: str) -> Iterator[BufferedIOBase]:
    """Opens for reading, decompressed and converted by `convert_text`.

    Reading a damaged file raises one of `compression.DAMAGE_ERRORS`.
    """
    with open_decompressed(path) as handle:
        yield convert_text(handle, encoding)


def convert_text(handle: BufferedIOBase, encoding: str) -> BufferedIOBase:
    """Returns the text in `encoding`, or in UTF-8 for UTF-16. Lines end with a line feed, with a
    carriage return before it or not. What is invalid in UTF-16 is invalid in the UTF-8 too.
    """
    pieces = _read_pieces(handle)
    if is_utf_16(encoding):
        pieces = _convert_to_utf_8(pieces, encoding)
    return BufferedReader(_PieceStream(_end_lines(pieces)))


def end_lines(data: bytes) -> bytes:
    """Replaces each carriage return that no line feed follows by a line feed."""
    if b"\r" not in data or data.count(b"\r") == data.count(b"\r\n"):
        return data
    return _LONE_RETURN.sub(b"\n", data)


class _PieceStream(RawIOBase):
    """The bytes of an iterator; one of its pieces per read, so that those before an error are not
    lost.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._unread = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills some of `buffer`; 0 at the end."""
        while not self._unread:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._unread = memoryview(piece)
        chunk = self._unread[: len(buffer)]
        buffer[: len(chunk)] = chunk
        self._unread = self._unread[len(chunk) :]
        return len(chunk)


def _read_pieces(handle: BufferedIOBase) -> Iterator[bytes]:
    while piece := handle.read1(_PIECE_BYTES):
        yield piece


def _end_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held = b""  # a carriage return: the next piece decides
    for piece in pieces:
        data = held + piece
        held = b"\r" if data.endswith(b"\r") else b""
        yield end_lines(data[: len(data) - len(held)])
    yield end_lines(held)


def _convert_to_utf_8(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= len(codecs.BOM_UTF16):
            break
    decoder = codecs.getincrementaldecoder(_choose_byte_order(start, encoding))("surrogatepass")
    for piece in itertools.chain([start], pieces):
        yield decoder.decode(piece).encode(UTF_8, "surrogatepass")
    if decoder.getstate()[0]:
        yield _UNDECODABLE


def _choose_byte_order(start: bytes, encoding: str) -> str:
    """A byte order mark decides; without one `utf-16` is little-endian, as Windows writes it."""
    name = codecs.lookup(encoding).name
    without_mark = "utf-16-le" if name == "utf-16" else name
    return _BY_MARK.get(start[: len(codecs.BOM_UTF16)], without_mark)
