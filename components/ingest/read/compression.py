"""Opens files and decompresses gzip, Zstandard, bzip2 and xz, detected by their first bytes."""

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

# Raised for a damaged stream: truncated, wrong header or checksum, corrupt data.
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
# Text compresses to about a tenth, so the result of one step stays small.
_COMPRESSED_BYTES = 1 << 16


def is_compressed(path: str) -> bool:
    """Returns whether the file is compressed, so that it can only be read from its start."""
    with open_raw(path) as compressed:
        head = _read_magic(compressed)
    return bool(_GZIP.match(head)) or _find_decompressor(head) is not None


def open_raw(path: str) -> BufferedIOBase:
    """Opens a file for reading, without decompression."""
    opened = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    return cast("BufferedIOBase", opened)


@contextlib.contextmanager
def open_decompressed(path: str) -> Iterator[BufferedIOBase]:
    """Opens a file for reading, decompressed, regardless of its name. Reading a damaged file raises
    one of `DAMAGE_ERRORS`.

    Beam's own decompression does not report a truncated stream.
    """
    with open_raw(path) as compressed:
        head = _read_magic(compressed)
        frame = _find_decompressor(head)
        if _GZIP.match(head):
            with gzip.GzipFile(fileobj=compressed) as decompressed:
                yield decompressed
        elif frame is not None:
            with BufferedReader(DecompressedStream(compressed, frame)) as decompressed:
                yield decompressed
        else:
            yield compressed


def _read_magic(compressed: BufferedIOBase) -> bytes:
    head = compressed.read(_HEAD)
    compressed.seek(0)
    return head


def _find_decompressor(head: bytes) -> Callable[[], Any] | None:
    return next((frame for magic, frame in _FRAMES if magic.match(head)), None)


class DecompressedStream(RawIOBase):
    """Decompresses the frames of `compressed` in order; wrap it in a BufferedReader.

    `frame` creates the decompressor of one frame: an object with `decompress`, `eof` and
    `unused_data`, as in zstandard, bz2 and lzma. Reading raises EOFError at the end of a truncated
    stream, and the library's error in a corrupt frame; an OSError becomes EOFError, because file
    systems raise OSError too.
    """

    def __init__(self, compressed: BufferedIOBase, frame: Callable[[], Any]) -> None:
        super().__init__()
        self._compressed = compressed
        self._new_frame = frame
        self._frame = frame()
        self._is_inside = False
        self._rest = b""  # compressed bytes after the end of a frame
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """Returns True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills `buffer` at least partly and returns the number of bytes; 0 at the end."""
        while not self._ready:
            chunk = self._rest or self._compressed.read(_COMPRESSED_BYTES)
            if not chunk:
                self._require_no_open_frame()
                return 0
            self._ready = memoryview(self._decompress(chunk))
        chunk = self._ready[: len(buffer)]
        buffer[: len(chunk)] = chunk
        self._ready = self._ready[len(chunk) :]
        return len(chunk)

    def _decompress(self, chunk: bytes) -> bytes:
        try:
            decompressed = self._frame.decompress(chunk)
        except OSError as error:  # bz2 raises it for corrupt data
            raise EOFError(f"the compressed stream is corrupt: {error}") from error
        self._is_inside, self._rest = True, b""
        if self._frame.eof:
            self._is_inside, self._rest = False, self._frame.unused_data
            self._frame = self._new_frame()
        return decompressed

    def _require_no_open_frame(self) -> None:
        if self._is_inside:
            raise EOFError("the compressed stream is truncated")
