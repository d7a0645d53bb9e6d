"""Opening files, packed or not: gzip (`.gz`), Zstandard (`.zst`)."""

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from io import BufferedIOBase, BufferedReader
from typing import cast

import zstandard
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from components.ingest.zstd_stream import ZstdStream

# What a damaged stream raises: cut short, wrong header or checksum, broken data.
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)

_GZIP = ".gz"
_ZSTD = (".zst", ".zstd")


def is_packed(path: str) -> bool:
    """Whether the file is unpacked while it is read, and so can only be read from its start."""
    return path.endswith((_GZIP, *_ZSTD))


def open_packed(path: str) -> BufferedIOBase:
    """Opens for reading, the bytes as they are stored."""
    opened = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    return cast("BufferedIOBase", opened)


@contextlib.contextmanager
def open_bytes(path: str) -> Iterator[BufferedIOBase]:
    """Opens for reading, unpacked. Reading a damaged packed file raises one of `DAMAGED`.

    Beam's own decompression ends a truncated stream without a word, this does not.
    """
    with open_packed(path) as packed:
        if path.endswith(_GZIP):
            with gzip.GzipFile(fileobj=packed) as unpacked:
                yield unpacked
        elif path.endswith(_ZSTD):
            with BufferedReader(ZstdStream(packed)) as unpacked:
                yield unpacked
        else:
            yield packed
