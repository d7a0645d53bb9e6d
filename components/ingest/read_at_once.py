"""A table that is small enough for one process: read without a pipeline, by the same rules."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from components.ingest.block_parser import BlockParser
from components.ingest.fields import parser
from components.ingest.output import counts, dead_letters
from components.ingest.read import blocks, compression, parquet, quoting
from components.ingest.read.blocks import Block
from components.ingest.read.parquet import RowGroup
from components.ingest.table_spec import LINE, ROW_GROUP, TableSpec


class ReadRecords(NamedTuple):
    """What `components.ingest.read_table.ReadTable` gives, as plain values."""

    records: pa.Table
    """Accepted ones, with the origin that the specification asks for."""
    tallies: Counter[str]
    """By `counts.key`: those read, and those rejected by reason."""


def read(spec: TableSpec, paths: list[str], letters_dir: str) -> ReadRecords:
    """Reads all of `paths`; writes the dead letters below `letters_dir`."""
    parser = BlockParser(spec)
    tallies: Counter[str] = Counter()
    accepted: list[pa.Table] = []
    for element in _elements(spec, paths):
        for read_now, parsed in parser.parsed(element):
            tallies[counts.key(spec.name, "read")] += read_now
            accepted.append(parsed.accepted)
            for (key, example), n in parsed.unreadable.items():
                tallies[counts.unreadable_key(spec.name, key, example)] += n
            if parsed.rejected:
                dead_letters.write(letters_dir, parsed.rejected[0].line, parsed.rejected)
            for letter in parsed.rejected:
                tallies[counts.key(spec.name, "rejected", letter.reason)] += 1
    if not accepted:  # empty files have no block
        accepted = [_nothing(spec)]
    return ReadRecords(pa.concat_tables(accepted).combine_chunks(), tallies)


def _elements(spec: TableSpec, paths: list[str]) -> Iterator[Block | RowGroup]:
    for path in paths:
        if spec.source.format == "parquet":
            yield from parquet.row_groups(path)
        else:
            with compression.open_bytes(path) as handle:
                dialect = quoting.of(spec.source)
                yield from blocks.blocks(path, handle, blocks.BLOCK_BYTES, dialect)


def _nothing(spec: TableSpec) -> pa.Table:
    table = parser.empty(spec.fields)
    for name in spec.origin:
        kind = pa.int64() if name in (LINE, ROW_GROUP) else pa.large_string()
        table = table.append_column(name, pa.array([], kind))
    return table
