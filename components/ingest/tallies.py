"""Beam: tallies of all workers -> the counts of the run."""

from typing import Any

import apache_beam as beam

from components.ingest import counts


class WriteCounts(beam.PTransform):
    """PCollection of (key, n) -> the file that `counts.load` reads.

    Keys with a slash belong to a table (`counts.key`), the others are totals of the run.
    """

    def __init__(self, tables: tuple[str, ...], uri: str) -> None:
        super().__init__()
        self._tables = tables
        self._uri = uri

    def expand(self, tallies: beam.PCollection) -> Any:
        """Adds up, then writes once."""
        return (
            tallies
            | "Add" >> beam.CombinePerKey(sum)
            | "All" >> beam.combiners.ToDict()
            | "Store" >> beam.Map(_store, self._tables, self._uri)
        )


def _store(sums: dict[str, int], tables: tuple[str, ...], uri: str) -> None:
    totals = {name: n for name, n in sorted(sums.items()) if "/" not in name}
    counts.write(uri, counts.gather(sums, tables, totals))
