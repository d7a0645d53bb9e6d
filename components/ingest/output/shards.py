"""Shards: parts of a table by a hash of the id, so that one worker has all records of a user."""

import zlib
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from components.ingest.read.records import Origin

SHARD_BYTES = 16 << 20
MIN_SHARDS = 4


def count(input_bytes: int) -> int:
    """Returns the number of shards for the size of the input; independent of machine and runner."""
    return max(MIN_SHARDS, -(-input_bytes // SHARD_BYTES))


def assign(identifier: str, shards: int) -> int:
    """Returns the shard of an id: CRC-32 of the id in UTF-8, modulo `shards`."""
    return zlib.crc32(identifier.encode()) % shards


def divide(table: pa.Table, column: str, shards: int) -> Iterator[tuple[int, pa.Table]]:
    """Splits `table` by the shard of the id in `column`; rows keep their order within a part."""
    if not table.num_rows:
        return
    encoded = table[column].combine_chunks().dictionary_encode()
    hashes = [assign(identifier, shards) for identifier in encoded.dictionary.to_pylist()]
    shard = np.array(hashes, np.int64)[encoded.indices.to_numpy()]
    order = np.argsort(shard, kind="stable")
    grouped = table.take(pa.array(order))
    present, starts = np.unique(shard[order], return_index=True)
    for number, start, stop in zip(present, starts, [*starts[1:], len(order)], strict=True):
        yield int(number), grouped.slice(start, stop - start)


def pack(table: pa.Table, origin: Origin | None = None) -> bytes:
    """Encodes a table as bytes to send between workers. `origin` is that of its first record."""
    if origin is not None:
        table = table.replace_schema_metadata({key: str(n) for key, n in origin._asdict().items()})
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def unpack(parts: Iterable[bytes]) -> pa.Table | None:
    """Concatenates the tables of `parts`; returns None if there are none. Tables with an origin are
    sorted by it, by table, path, line and offset, so that the order of `parts` does not matter.
    """
    tables = sorted((pa.ipc.open_stream(part).read_all() for part in parts), key=_read_origin)
    return pa.concat_tables(tables).combine_chunks().replace_schema_metadata() if tables else None


def _read_origin(table: pa.Table) -> Origin:
    metadata = table.schema.metadata
    if not metadata:
        return Origin(0, "", 0)
    number, line, offset = (int(metadata[key]) for key in (b"table", b"line", b"offset"))
    return Origin(number, metadata[b"file"].decode(), line, offset)
