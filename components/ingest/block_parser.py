"""One table's blocks and row groups -> accepted records and letters, whoever hands them out."""

from collections.abc import Iterator

from components.ingest.fields import parser
from components.ingest.read import delimited, lines, parquet, quoting, sequences
from components.ingest.read.blocks import Block
from components.ingest.read.parquet import RowGroup
from components.ingest.table_spec import TableSpec


class BlockParser:
    """Remembers the columns of each delimited file that it has met."""

    def __init__(self, spec: TableSpec) -> None:
        self._spec = spec
        self._names: dict[str, list[str]] = {}

    def parsed(self, element: Block | RowGroup) -> Iterator[tuple[int, parser.Parsed]]:
        """How many records were read, and what became of them, some at a time."""
        if isinstance(element, Block):
            found = self._decoded(element)
            yield found.read, parser.parse(found, self._columns_of(element.path), self._spec)
            return
        wanted = parser.wanted(self._spec)
        for rows, records in parquet.read(element, wanted):
            yield rows.read, parser.accept(rows, records, self._spec)

    def _decoded(self, block: Block) -> lines.Lines:
        source = self._spec.source
        has_header = source.format == "csv" and source.columns is None
        found = lines.decode(block, source.encoding, has_header, quoting.of(source))
        return sequences.expand(found) if source.format == "sequences" else found

    def _columns_of(self, path: str) -> list[str]:
        """Columns of delimited text, in order; of no other format."""
        if self._spec.source.format != "csv":
            return []
        if path not in self._names:
            self._names[path] = delimited.column_names(path, self._spec.source)
        return self._names[path]
