"""Files opened for reading, decompressed: gzip, Zstandard, bzip2, xz, by their first bytes."""

import bz2
import contextlib
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase, BufferedReader, RawIOBase
from typing import Any, cast

import zstandard
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

# What a damaged stream raises: cut short, wrong header or checksum, broken data.
DAMAGE_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError, lzma.LZMAError)
_HEAD = 10
_GZIP = re.compile(rb"\x1f\x8b")
_FRAMES: list[tuple[re.Pattern[bytes], Callable[[], Any]]] = [
    (
        re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
        lambda: zstandard.ZstdDecompressor().decompressobj(),
    ),
    (re.compile(rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)"), bz2.BZ2Decompressor),
    (re.compile(rb"\xfd7zXZ\x00"), lzma.LZMADecompressor),
]
# Text compresses to a tenth or so: what is decompressed at a time stays small.
_COMPRESSED_BYTES = 1 << 16


def is_compressed(path: str) -> bool:
    """Whether the file is decompressed as it is read, and so can only be read from its start."""
    with open_raw(path) as packed:
        head = _read_magic(packed)
    return bool(_GZIP.match(head)) or _find_decompressor(head) is not None


def open_raw(path: str) -> BufferedIOBase:
    """Opens for reading, the bytes as they are stored."""
    opened = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    return cast("BufferedIOBase", opened)


@contextlib.contextmanager
def open_decompressed(path: str) -> Iterator[BufferedIOBase]:
    """Opens for reading, decompressed, whatever the file's name. Reading a damaged file raises one
    of `DAMAGE_ERRORS`.

    Beam's own decompression ends a truncated stream without notice, this does not.
    """
    with open_raw(path) as packed:
        head = _read_magic(packed)
        frame = _find_decompressor(head)
        if _GZIP.match(head):
            with gzip.GzipFile(fileobj=packed) as unpacked:
                yield unpacked
        elif frame is not None:
            with BufferedReader(DecompressedStream(packed, frame)) as unpacked:
                yield unpacked
        else:
            yield packed


def _read_magic(packed: BufferedIOBase) -> bytes:
    head = packed.read(_HEAD)
    packed.seek(0)
    return head


def _find_decompressor(head: bytes) -> Callable[[], Any] | None:
    return next((frame for magic, frame in _FRAMES if magic.match(head)), None)


class DecompressedStream(RawIOBase):
    """Decompresses the frames of `packed` in order; to be read through a BufferedReader.

    A stream that was cut short raises an error at its end. `frame` makes the decompressor of one
    frame: an object with `decompress`, `eof` and `unused_data`, as zstandard, bz2 and lzma have it.
    Raises EOFError where the last frame has no end, and what the library raises where a frame is
    broken; EOFError for OSError, which a file system raises too.
    """

    def __init__(self, packed: BufferedIOBase, frame: Callable[[], Any]) -> None:
        super().__init__()
        self._packed = packed
        self._new_frame = frame
        self._frame = frame()
        self._is_inside = False
        self._rest = b""  # packed bytes behind the end of a frame
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills some of `buffer`; 0 at the end."""
        while not self._ready:
            piece = self._rest or self._packed.read(_COMPRESSED_BYTES)
            if not piece:
                self._require_no_open_frame()
                return 0
            self._ready = memoryview(self._unpack(piece))
        chunk = self._ready[: len(buffer)]
        buffer[: len(chunk)] = chunk
        self._ready = self._ready[len(chunk) :]
        return len(chunk)

    def _unpack(self, piece: bytes) -> bytes:
        try:
            unpacked = self._frame.decompress(piece)
        except OSError as error:  # bz2's word for broken data
            raise EOFError(f"the packed stream is broken: {error}") from error
        self._is_inside, self._rest = True, b""
        if self._frame.eof:
            self._is_inside, self._rest = False, self._frame.unused_data
            self._frame = self._new_frame()
        return unpacked

    def _require_no_open_frame(self) -> None:
        if self._is_inside:
            raise EOFError("the packed stream was cut short")
