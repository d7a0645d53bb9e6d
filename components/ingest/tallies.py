"""Beam: tallies of all workers -> the counts of the run."""

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsIter

from components.ingest import counts


class WriteCounts(beam.PTransform):
    """PCollection of (key, n) -> the file that `counts.load` reads.

    Keys with a slash belong to a table (`counts.key`), the others are totals of the run.
    """

    def __init__(
        self, tables: tuple[str, ...], uri: str, samples: beam.PCollection | None = None
    ) -> None:
        """`samples` are of (total, texts), in each shard's order."""
        super().__init__()
        self._tables = tables
        self._uri = uri
        self._samples = samples

    def expand(self, tallies: beam.PCollection) -> Any:
        """Adds up, then writes once."""
        samples = () if self._samples is None else (AsIter(self._samples),)
        return (
            tallies
            | "Add" >> beam.CombinePerKey(sum)
            | "All" >> beam.combiners.ToDict()
            | "Store" >> beam.Map(_store, self._tables, self._uri, *samples)
        )


def _store(
    sums: dict[str, int],
    tables: tuple[str, ...],
    uri: str,
    samples: Iterable[tuple[str, list[str]]] = (),
) -> None:
    totals = {name: n for name, n in sorted(sums.items()) if "/" not in name}
    gathered: dict[str, list[str]] = {}
    for name, texts in samples:
        gathered[name] = sorted([*gathered.get(name, []), *texts])[: counts.SHOWN]
    counts.write(uri, counts.gather(sums, tables, totals, dict(sorted(gathered.items()))))
