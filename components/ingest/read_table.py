"""Beam: one table of the user's -> accepted records in shards, dead letters, tallies."""

import logging
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from components.ingest.block_parser import BlockParser
from components.ingest.output import counts, dead_letters, shards
from components.ingest.read import files, paths, quoting
from components.ingest.read.blocks import Block, ReadBlocks
from components.ingest.read.parquet import ReadRowGroups, RowGroup
from components.ingest.rejection import Rejected
from components.ingest.table_spec import TableSpec
from schema.errors import ConfigError
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
            | "Blocks" >> self._share()
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

    def _share(self) -> beam.PTransform:
        if self._spec.source.format == "parquet":
            return ReadRowGroups(self._paths)
        return ReadBlocks(self._paths, quoting.of(self._spec.source))


class _Parse(beam.DoFn):
    def __init__(self, spec: TableSpec) -> None:
        self._spec = spec
        self._parser = BlockParser(spec)
        self._rows = 0

    def process(self, element: Block | RowGroup) -> Iterator[Any]:
        spec = self._spec
        for read, parsed in self._parser.parsed(element):
            if parsed.rejected:
                yield TaggedOutput(_LETTERS, parsed.rejected)
            for shard, part in shards.divide(parsed.accepted, spec.fields[0].name, spec.shards):
                yield shard, shards.pack(part, parsed.origin)
            yield TaggedOutput(_TALLIES, (counts.key(spec.name, "read"), read))
            for (key, example), n in parsed.unreadable.items():
                yield TaggedOutput(_TALLIES, (counts.unreadable_key(spec.name, key, example), n))
            self._rows += read
            logging.getLogger("tandem.progress").info("rows=%d", self._rows)


class _Write(beam.DoFn):
    def __init__(self, table: str, folder: str) -> None:
        self._table = table
        self._folder = folder

    def process(self, element: list[Rejected]) -> Iterator[tuple[str, int]]:
        dead_letters.write(self._folder, element[0].line, element)
        for letter in element:
            yield counts.key(self._table, "rejected", letter.reason), 1


def paths_and_shards(data_dir: str, source: Source) -> tuple[list[str], int]:
    """Files of the table, sorted, and how many shards that much data makes.

    Raises ConfigError where there are none: a span that comes with a run has met no check before.
    """
    found = files.match(data_dir, source)
    if not found:
        span = f" for span {source.span}" if source.span is not None else ""
        raise ConfigError(
            f"expected files at {paths.of(data_dir, source)}{span}, found none; "
            "fix the path, or give a span that is there"
        )
    return list(found), shards.count(sum(found.values()))
