"""One table's files -> accepted records, dead letters and tallies.

`ReadTable` is the Beam transform, which returns shards; `read_in_process` reads a small table
without a pipeline, by the same rules.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import TaggedOutput

from components.ingest.fields.item_properties import prune_properties
from components.ingest.fields.parser import BlockParser, ParsedRecords, build_empty_table
from components.ingest.fields.table_spec import LINE, ROW_GROUP, TableSpec
from components.ingest.output import counts, dead_letters, shards
from components.ingest.read.blocks import Block, ReadBlocks, build_splitter, read_blocks
from components.ingest.read.files import find_files
from components.ingest.read.pairs.matrix import MatrixFile, ReadMatrices
from components.ingest.read.parquet import ReadRowGroups, RowGroup, list_row_groups
from components.ingest.read.paths import locate_table
from components.ingest.read.records import DeadLetter
from schema.errors import ConfigError
from schema.sources import Source

_LETTERS = "letters"
_TALLIES = "tallies"


class ReadTable(beam.PTransform):
    """PBegin -> {"records": PCollection of (shard, packed table), "tallies": of (key, n)}.

    `paths` are the files; `letters_dir` is the folder of the table's dead letters, None if another
    component also reads the table and writes them.
    """

    def __init__(self, spec: TableSpec, paths: list[str], letters_dir: str | None) -> None:
        super().__init__(label=f"Read {spec.name}")
        self._spec = spec
        self._paths = paths
        self._letters_dir = letters_dir

    def expand(self, pipeline: beam.Pipeline) -> Any:
        """Reads and parses the files, and writes the dead letters."""
        parsed = (
            pipeline
            | "Blocks" >> self._build_reader()
            | "Parse"
            >> beam.ParDo(_ParseElements(self._spec)).with_outputs(
                _LETTERS, _TALLIES, main="records"
            )
        )
        if self._letters_dir is None:
            return {"records": parsed["records"], "tallies": parsed[_TALLIES]}
        rejected = parsed[_LETTERS] | "Letters" >> beam.ParDo(
            _WriteLetters(self._spec.name, self._letters_dir)
        )
        tallies = (parsed[_TALLIES], rejected) | "Tallies" >> beam.Flatten()
        return {"records": parsed["records"], "tallies": tallies}

    def _build_reader(self) -> beam.PTransform:
        if self._spec.source.format == "parquet":
            return ReadRowGroups(self._paths)
        if self._spec.source.format == "npz":
            return ReadMatrices(self._paths)
        source = self._spec.source
        return ReadBlocks(self._paths, source.encoding, build_splitter(source))


class _ParseElements(beam.DoFn):
    def __init__(self, spec: TableSpec) -> None:
        self._spec = spec
        self._parser = BlockParser(spec)
        self._rows = 0

    def process(self, element: Block | RowGroup | MatrixFile) -> Iterator[Any]:
        spec = self._spec
        for parsed in self._parser.parse(element):
            if parsed.rejected:
                yield TaggedOutput(_LETTERS, (parsed.origin.offset, parsed.rejected))
            accepted = _select_rows(parsed.accepted, spec)
            unused = parsed.unused + parsed.accepted.num_rows - accepted.num_rows
            if unused:
                yield TaggedOutput(_TALLIES, (counts.name_tally(spec.name, "unused"), unused))
            for shard, part in shards.divide(accepted, spec.fields[0].name, spec.shards):
                yield shard, shards.pack(part, parsed.origin)
            for tally in _iterate_tallies(spec, parsed):
                yield TaggedOutput(_TALLIES, tally)
            self._rows += parsed.read
            logging.getLogger("tandem.progress").info("rows=%d", self._rows)


def _iterate_tallies(spec: TableSpec, parsed: ParsedRecords) -> Iterator[tuple[str, int]]:
    table = spec.name
    yield counts.name_tally(table, "read"), parsed.read
    if parsed.comments:
        yield counts.name_tally(table, "comments"), parsed.comments
    for key, n in parsed.assumed_utc.items():
        yield counts.name_assumed_utc_tally(table, key), n
    for kind, n in parsed.unnamed_kinds.items():
        yield counts.name_kind_tally(table, kind), n
    if spec.required is not None:
        named = pc.sum(parsed.accepted[spec.required]).as_py() or 0
        yield counts.name_tally(table, "named_kinds"), named
    for (key, example), n in parsed.unreadable.items():
        yield counts.name_unreadable_tally(table, key, example), n


class _WriteLetters(beam.DoFn):
    def __init__(self, table: str, folder: str) -> None:
        self._table = table
        self._folder = folder

    def process(self, element: tuple[int, list[DeadLetter]]) -> Iterator[tuple[str, int]]:
        offset, letters = element
        dead_letters.write(self._folder, offset, letters)
        for letter in letters:
            yield counts.name_tally(self._table, "rejected", letter.reason), 1


def _select_rows(accepted: pa.Table, spec: TableSpec) -> pa.Table:
    if spec.properties is not None:
        return prune_properties(accepted, spec.properties)
    return accepted


def plan_shards(data_dir: str, source: Source) -> tuple[list[str], int]:
    """Returns the files of the table, sorted, and the number of shards for their size.

    Raises ConfigError if there are no files: the preflight does not check the span of a run.
    """
    sizes = find_files(data_dir, source)
    if not sizes:
        span = f" for span {source.span}" if source.span is not None else ""
        raise ConfigError(
            f"expected files at {locate_table(data_dir, source)}{span}, found none; "
            "fix the path, or give an existing span"
        )
    return list(sizes), shards.count(sum(sizes.values()))


class TableRecords(NamedTuple):
    """The result of `ReadTable` as plain values."""

    records: pa.Table
    """Accepted records, with the origin columns of the specification."""
    tallies: Counter[str]
    """By `counts.name_tally`: records read, rejected records by reason, unreadable values."""


def read_in_process(spec: TableSpec, paths: list[str], letters_dir: str) -> TableRecords:
    """Reads all of `paths`; writes the dead letters below `letters_dir`."""
    parser = BlockParser(spec)
    tallies: Counter[str] = Counter()
    accepted: list[pa.Table] = []
    for element in _iterate_elements(spec, paths):
        for parsed in parser.parse(element):
            accepted.append(_select_rows(parsed.accepted, spec))
            unused = parsed.unused + parsed.accepted.num_rows - accepted[-1].num_rows
            tallies[counts.name_tally(spec.name, "unused")] += unused
            for tally, n in _iterate_tallies(spec, parsed):
                tallies[tally] += n
            if parsed.rejected:
                dead_letters.write(letters_dir, parsed.origin.offset, parsed.rejected)
            for letter in parsed.rejected:
                tallies[counts.name_tally(spec.name, "rejected", letter.reason)] += 1
    if not accepted:  # empty files have no block
        accepted = [_build_empty_records(spec)]
    return TableRecords(pa.concat_tables(accepted).combine_chunks(), tallies)


def _iterate_elements(spec: TableSpec, paths: list[str]) -> Iterator[Block | RowGroup | MatrixFile]:
    for path in paths:
        if spec.source.format == "parquet":
            yield from list_row_groups(path)
        elif spec.source.format == "npz":
            yield MatrixFile(path)
        else:
            yield from read_blocks(path, spec.source.encoding, build_splitter(spec.source))


def _build_empty_records(spec: TableSpec) -> pa.Table:
    table = build_empty_table(spec.fields)
    for name in spec.origin:
        kind = pa.int64() if name in (LINE, ROW_GROUP) else pa.large_string()
        table = table.append_column(name, pa.array([], kind))
    return table
