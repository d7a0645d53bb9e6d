"""The files behind a table's `path`, wherever Beam's file systems reach."""

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from typing import cast

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from schema.sources import Source

# What a damaged gzip stream raises: cut short, wrong header or checksum, broken deflate data.
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)


def pattern(data_dir: str, source: Source) -> str:
    """`path` of `source` below `data_dir`; an absolute path or a URL stays as it is."""
    if "://" in source.path or source.path.startswith("/"):
        return source.path
    return FileSystems.join(data_dir, source.path)


def match(data_dir: str, source: Source) -> dict[str, int]:
    """Path -> bytes of every file of the table, sorted by path; empty where there is none."""
    [found] = FileSystems.match([pattern(data_dir, source)])
    sizes = {file.path: file.size_in_bytes for file in found.metadata_list}
    return dict(sorted(sizes.items()))


def is_gzip(path: str) -> bool:
    """Whether the file is unpacked while it is read."""
    return path.endswith(".gz")


def shown(paths: list[str]) -> str:
    """Files as a message names them."""
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def open_packed(path: str) -> BufferedIOBase:
    """Opens for reading, the bytes as they are stored."""
    opened = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    return cast("BufferedIOBase", opened)


@contextlib.contextmanager
def open_bytes(path: str) -> Iterator[BufferedIOBase]:
    """Opens for reading, unpacked. Reading a damaged gzip file raises one of `DAMAGED`.

    Beam's own decompression ends a truncated stream without a word, the standard library's not.
    """
    with open_packed(path) as packed:
        if not is_gzip(path):
            yield packed
            return
        with gzip.GzipFile(fileobj=packed) as unpacked:
            yield unpacked
