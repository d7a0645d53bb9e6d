"""Beam: tallies of all workers -> the counts of the run."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsIter

from components.ingest.output import counts, id_overlap
from components.ingest.output.id_overlap import Meeting


class WriteCounts(beam.PTransform):
    """PCollection of (key, n) -> the file that `counts.load` reads.

    Keys with a slash belong to a table (`counts.key`), the others are totals of the run.
    """

    def __init__(
        self,
        tables: tuple[str, ...],
        uri: str,
        samples: beam.PCollection | None = None,
        meetings: beam.PCollection | None = None,
    ) -> None:
        """`samples` are of (total, texts), `meetings` of (table, Meeting), some of each."""
        super().__init__()
        self._tables = tables
        self._uri = uri
        self._extra = [part for part in (samples, meetings) if part is not None]

    def expand(self, tallies: beam.PCollection) -> Any:
        """Adds up, then writes once."""
        extra = [AsIter(part) for part in self._extra]
        return (
            tallies
            | "Add" >> beam.CombinePerKey(sum)
            | "All" >> beam.combiners.ToDict()
            | "Store" >> beam.Map(_store, self._tables, self._uri, *extra)
        )


def _store(
    sums: dict[str, int],
    tables: tuple[str, ...],
    uri: str,
    samples: Iterable[tuple[str, list[str]]] = (),
    meetings: Iterable[tuple[str, Meeting]] = (),
) -> None:
    totals = {name: n for name, n in sorted(sums.items()) if "/" not in name}
    gathered: dict[str, list[str]] = {}
    for name, texts in samples:
        gathered[name] = sorted([*gathered.get(name, []), *texts])[: counts.SHOWN]
    counted = counts.gather(sums, tables, totals)
    met: dict[str, list[Meeting]] = {}
    for name, part in meetings:
        met.setdefault(name, []).append(part)
    whole = {name: id_overlap.together(parts) for name, parts in sorted(met.items())}
    shown = dict(sorted(gathered.items()))
    counts.write(uri, dataclasses.replace(counted, samples=shown, meetings=whole))
