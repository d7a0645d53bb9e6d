"""What became of every record: read = accepted + rejected + duplicates, for every table.

Workers emit tallies, (key, n); `WriteCounts` adds them up into the counts of the run.
"""

import dataclasses
import json
from collections.abc import Iterable
from typing import Any, TypedDict

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import AsIter

from components.ingest.output.id_overlap import IdOverlap, merge_overlaps

FILE_NAME = "counts.json"
MAX_SAMPLES = 3
"""Samples of a total that are kept: the first in order of their text."""
_UNREADABLE = "unreadable"


class UnreadableValues(TypedDict):
    """Values of one optional field that count as absent."""

    values: int
    example: str
    """What is wrong with one of them, in a sentence."""


@dataclasses.dataclass(frozen=True)
class TableCounts:
    """Records of one table."""

    read: int
    """Counted where the lines are cut; header and empty lines are no records."""
    accepted: int
    """Counted where they are stored."""
    rejected: int
    """Counted where the dead letters are written."""
    duplicates: int
    """Records that repeat an accepted one's event or id."""
    rejected_by_reason: dict[str, int]
    """Most frequent first."""
    unreadable: dict[str, UnreadableValues] = dataclasses.field(default_factory=dict)
    """By the configuration key of the field; of records that are not rejected."""


@dataclasses.dataclass(frozen=True)
class Counts:
    """Of one component's run."""

    tables: dict[str, TableCounts]
    """By table: interactions, items, users."""
    totals: dict[str, int]
    """Interactions: users, train, valid, test, and t_valid and t_test where the split goes by a
    clock; t_train and before (events that are history only) where it goes by days; t_begin and
    t_end, where the bulk of the log begins and ends (see `schema.bulk`); and, where there are some,
    those of `events.rules.TIME_OUTLIERS`. Items: items."""
    samples: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    """By total, some of what it counts, as a message names them."""
    meetings: dict[str, IdOverlap] = dataclasses.field(default_factory=dict)
    """items: of the events, those of items of the catalogue. users: of the log's users, those of
    the user table, where there is one."""

    @property
    def rejected_by_reason(self) -> dict[str, dict[str, int]]:
        """By table, most frequent first."""
        return {name: table.rejected_by_reason for name, table in self.tables.items()}

    def to_json(self) -> str:
        """One JSON object: the totals, `samples`, `meetings` and `tables`."""
        tables = {name: dataclasses.asdict(table) for name, table in self.tables.items()}
        meetings = {name: dataclasses.asdict(found) for name, found in self.meetings.items()}
        extra = {"samples": self.samples, "meetings": meetings}
        return json.dumps({**self.totals, **extra, "tables": tables})


def parse(text: str) -> Counts:
    """The reverse of `Counts.to_json`."""
    totals = json.loads(text)
    tables = {name: TableCounts(**table) for name, table in totals.pop("tables").items()}
    samples, meetings = totals.pop("samples", {}), totals.pop("meetings", {})
    met = {name: IdOverlap(**found) for name, found in meetings.items()}
    return Counts(tables, totals, samples, met)


def name_tally(table: str, what: str, reason: str = "") -> str:
    """Name of one tally while the pipeline adds them up."""
    return "/".join(filter(None, (table, what, reason)))


def name_unreadable_tally(table: str, field: str, example: str) -> str:
    """Name of the tally of a field's unreadable values, of which `example` explains one."""
    return name_tally(table, _UNREADABLE, json.dumps([field, example]))


def sum_tallies(tallies: dict[str, int], tables: tuple[str, ...], totals: dict[str, int]) -> Counts:
    """Sums by `name_tally` -> counts of `tables`. What never happened is 0."""
    return Counts({table: _sum_table(tallies, table) for table in tables}, totals)


def write(uri: str, counts: Counts) -> None:
    """Keeps the counts beside the splits, for `load`."""
    with FileSystems.create(FileSystems.join(uri, FILE_NAME)) as handle:
        handle.write(counts.to_json().encode())


def load(uri: str) -> Counts:
    """Counts of the run that wrote the Examples at `uri`."""
    with FileSystems.open(FileSystems.join(uri, FILE_NAME)) as handle:
        return parse(handle.read().decode())


def _sum_table(tallies: dict[str, int], table: str) -> TableCounts:
    reasons = _select_below(tallies, name_tally(table, "rejected"))
    ranked = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    amount = {
        what: tallies.get(name_tally(table, what), 0) for what in ("read", "accepted", "duplicates")
    }
    return TableCounts(
        **amount,
        rejected=sum(reasons.values()),
        rejected_by_reason=dict(ranked),
        unreadable=_sum_unreadable(_select_below(tallies, name_tally(table, _UNREADABLE))),
    )


def _sum_unreadable(by_example: dict[str, int]) -> dict[str, UnreadableValues]:
    """Of each field all values, and the example that stood for most of them."""
    found: dict[str, UnreadableValues] = {}
    for name, n in sorted(by_example.items(), key=lambda pair: (-pair[1], pair[0])):
        field, example = json.loads(name)
        found.setdefault(field, {"values": 0, "example": example})["values"] += n
    return found


def _select_below(tallies: dict[str, int], prefix: str) -> dict[str, int]:
    start = f"{prefix}/"
    found = {name: n for name, n in tallies.items() if n and name.startswith(start)}
    return {name.removeprefix(start): n for name, n in found.items()}


class WriteCounts(beam.PTransform):
    """PCollection of (key, n) -> the file that `counts.load` reads.

    Keys with a slash belong to a table (`name_tally`), the others are totals of the run.
    """

    def __init__(
        self,
        tables: tuple[str, ...],
        uri: str,
        samples: beam.PCollection | None = None,
        meetings: beam.PCollection | None = None,
    ) -> None:
        """`samples` are of (total, texts), `meetings` of (table, IdOverlap), some of each."""
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
            | "Store" >> beam.Map(_store_counts, self._tables, self._uri, *extra)
        )


def _store_counts(
    sums: dict[str, int],
    tables: tuple[str, ...],
    uri: str,
    samples: Iterable[tuple[str, list[str]]] = (),
    meetings: Iterable[tuple[str, IdOverlap]] = (),
) -> None:
    totals = {name: n for name, n in sorted(sums.items()) if "/" not in name}
    gathered: dict[str, list[str]] = {}
    for name, texts in samples:
        gathered[name] = sorted([*gathered.get(name, []), *texts])[:MAX_SAMPLES]
    counted = sum_tallies(sums, tables, totals)
    met: dict[str, list[IdOverlap]] = {}
    for name, part in meetings:
        met.setdefault(name, []).append(part)
    whole = {name: merge_overlaps(parts) for name, parts in sorted(met.items())}
    shown = dict(sorted(gathered.items()))
    write(uri, dataclasses.replace(counted, samples=shown, meetings=whole))
