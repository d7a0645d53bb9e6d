"""Opening files, packed or not: gzip, Zstandard, bzip2 and xz, known by their first bytes."""

import bz2
import contextlib
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase, BufferedReader
from typing import Any, cast

import zstandard
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from components.ingest.unpacked_stream import UnpackedStream

# What a damaged stream raises: cut short, wrong header or checksum, broken data.
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError, lzma.LZMAError)

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


def is_packed(path: str) -> bool:
    """Whether the file is unpacked while it is read, and so can only be read from its start."""
    with open_packed(path) as packed:
        head = _head(packed)
    return bool(_GZIP.match(head)) or _frame(head) is not None


def open_packed(path: str) -> BufferedIOBase:
    """Opens for reading, the bytes as they are stored."""
    opened = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    return cast("BufferedIOBase", opened)


@contextlib.contextmanager
def open_bytes(path: str) -> Iterator[BufferedIOBase]:
    """Opens for reading, unpacked, whatever the file's name. Reading a damaged packed file raises
    one of `DAMAGED`.

    Beam's own decompression ends a truncated stream without notice, this does not.
    """
    with open_packed(path) as packed:
        head = _head(packed)
        frame = _frame(head)
        if _GZIP.match(head):
            with gzip.GzipFile(fileobj=packed) as unpacked:
                yield unpacked
        elif frame is not None:
            with BufferedReader(UnpackedStream(packed, frame)) as unpacked:
                yield unpacked
        else:
            yield packed


def _head(packed: BufferedIOBase) -> bytes:
    head = packed.read(_HEAD)
    packed.seek(0)
    return head


def _frame(head: bytes) -> Callable[[], Any] | None:
    return next((frame for magic, frame in _FRAMES if magic.match(head)), None)
