"""Shards: the part of a table whose ids share a hash, so that one worker sees all of a user."""

import zlib
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from components.ingest.read.records import Origin

SHARD_BYTES = 16 << 20
MIN_SHARDS = 4
_FILE, _LINE = b"file", b"line"


def count(input_bytes: int) -> int:
    """Shards for that many bytes of input, whatever the machine and the runner."""
    return max(MIN_SHARDS, -(-input_bytes // SHARD_BYTES))


def assign(identifier: str, shards: int) -> int:
    """CRC-32 of the id in UTF-8, modulo `shards`: the same in every process and version."""
    return zlib.crc32(identifier.encode()) % shards


def divide(table: pa.Table, column: str, shards: int) -> Iterator[tuple[int, pa.Table]]:
    """Parts of `table` by the shard of the id in `column`; order within a part is kept."""
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
    """A table as bytes: what passes between workers. `origin` is where its first record stood."""
    if origin is not None:
        table = table.replace_schema_metadata({_FILE: origin.file, _LINE: str(origin.line)})
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def unpack(parts: Iterable[bytes]) -> pa.Table | None:
    """The tables of `parts` as one; None where there are none. Those that have an origin come in
    its order, by path and then line, in whatever order workers gave the parts.
    """
    tables = sorted((pa.ipc.open_stream(part).read_all() for part in parts), key=_read_origin)
    return pa.concat_tables(tables).combine_chunks().replace_schema_metadata() if tables else None


def _read_origin(table: pa.Table) -> Origin:
    found = table.schema.metadata or {_FILE: b"", _LINE: b"0"}
    return Origin(found[_FILE].decode(), int(found[_LINE]))
