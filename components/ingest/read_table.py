"""Beam: one table of the user's -> accepted records in shards, dead letters, tallies."""

import logging
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from components.ingest import counts, dead_letters, delimited, files, lines, shards, tables
from components.ingest.blocks import Block, ReadBlocks
from components.ingest.table_spec import TableSpec
from schema.sources import Source

_LETTERS = "letters"
_TALLIES = "tallies"


class ReadTable(beam.PTransform):
    """PBegin -> {"records": PCollection of (shard, packed table), "tallies": of (key, n)}.

    `paths` are the files, `letters_dir` is the folder of the table's dead letters; None where
    another component reads the table too and keeps them.
    """

    def __init__(self, spec: TableSpec, paths: list[str], letters_dir: str | None) -> None:
        super().__init__(label=f"Read {spec.name}")
        self._spec = spec
        self._paths = paths
        self._letters_dir = letters_dir

    def expand(self, pipeline: beam.Pipeline) -> Any:
        """Reads, parses, keeps what is refused."""
        parsed = (
            pipeline
            | "Blocks" >> ReadBlocks(self._paths)
            | "Parse"
            >> beam.ParDo(_Parse(self._spec)).with_outputs(_LETTERS, _TALLIES, main="records")
        )
        if self._letters_dir is None:
            return {"records": parsed["records"], "tallies": parsed[_TALLIES]}
        rejected = parsed[_LETTERS] | "Letters" >> beam.ParDo(
            _Write(self._spec.name, self._letters_dir)
        )
        tallies = (parsed[_TALLIES], rejected) | "Tallies" >> beam.Flatten()
        return {"records": parsed["records"], "tallies": tallies}


class _Parse(beam.DoFn):
    def __init__(self, spec: TableSpec) -> None:
        self._spec = spec
        self._names: dict[str, list[str]] = {}
        self._rows = 0

    def process(self, block: Block) -> Iterator[Any]:
        spec, source = self._spec, self._spec.source
        is_csv = source.format == "csv"
        found = lines.decode(block, source.encoding, header=is_csv and source.columns is None)
        names = self._columns_of(block.path) if is_csv else []
        parsed = tables.parse(found, names, spec)
        if parsed.rejected:
            yield TaggedOutput(_LETTERS, (block.first_line, parsed.rejected))
        for shard, part in shards.divide(parsed.accepted, spec.fields[0].name, spec.shards):
            yield shard, shards.pack(part)
        yield TaggedOutput(_TALLIES, (counts.key(spec.name, "read"), found.read))
        self._rows += found.read
        logging.getLogger("tandem.progress").info("rows=%d", self._rows)

    def _columns_of(self, path: str) -> list[str]:
        if path not in self._names:
            self._names[path] = delimited.header(path, self._spec.source)
        return self._names[path]


class _Write(beam.DoFn):
    def __init__(self, table: str, folder: str) -> None:
        self._table = table
        self._folder = folder

    def process(self, element: tuple[int, list]) -> Iterator[tuple[str, int]]:
        first_line, letters = element
        dead_letters.write(self._folder, first_line, letters)
        for letter in letters:
            yield counts.key(self._table, "rejected", letter.reason), 1


def paths_and_shards(data_dir: str, source: Source) -> tuple[list[str], int]:
    """Files of the table, sorted, and how many shards that much data makes."""
    found = files.match(data_dir, source)
    return list(found), shards.count(sum(found.values()))
