"""Counts of all records: read = accepted + rejected + duplicates + unused, for every table.

Workers emit tallies, (key, n); `WriteCounts` sums them to the counts of the run.
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
"""Number of samples of a total; they are the first in alphabetical order."""
_UNREADABLE = "unreadable"
_ASSUMED_UTC = "assumed_utc"
_UNNAMED_KIND = "unnamed_kind"


class UnreadableValues(TypedDict):
    """Unreadable values of one optional field, which count as missing."""

    values: int
    """Number of values."""
    example: str
    """A sentence about what is wrong with one of them."""


@dataclasses.dataclass(frozen=True)
class TableCounts:
    """Records of one table."""

    read: int
    """Counted when lines are split; the header and empty lines are not records."""
    accepted: int
    """Counted when records are stored."""
    rejected: int
    """Counted when dead letters are written."""
    duplicates: int
    """Records that repeat the event or the id of an accepted one."""
    rejected_by_reason: dict[str, int]
    """Most frequent first."""
    unreadable: dict[str, UnreadableValues] = dataclasses.field(default_factory=dict)
    """By the configuration key of the field; rejected records do not count."""
    assumed_utc: dict[str, int] = dataclasses.field(default_factory=dict)
    """Times without a zone that were read as UTC, by the configuration key of the field."""
    unused: int = 0
    """Records of a later table of items or users whose id the first table does not have; of a long
    table of items those of undeclared properties or later times; events of ignored kinds, and
    rows of impressions without a click."""
    comments: int = 0
    """Number of comment lines, which are not records."""
    unnamed_kinds: dict[str, int] = dataclasses.field(default_factory=dict)
    """Events of kinds that `labels.events` does not name, by kind, most frequent first; "" for
    events without one. Rejected events count too."""
    named_kinds: int = 0
    """Parsed events of the kinds in `labels.events.positive`."""


@dataclasses.dataclass(frozen=True)
class Counts:
    """Counts of one execution of a component."""

    tables: dict[str, TableCounts]
    """By table: interactions, items, users; later tables as `schema.sources.name_table`."""
    totals: dict[str, int]
    """Interactions: users, train, valid and test; t_valid and t_test if the split has a clock;
    t_train and before (events that are only history) if it uses days; t_begin and t_end, the bounds
    of the log's bulk (see `schema.bulk`); and any nonzero counts of `events.rules.TIME_OUTLIERS`.
    Items: items. Times are seconds since epoch, UTC."""
    samples: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    """By total, descriptions of a few of its events."""
    meetings: dict[str, IdOverlap] = dataclasses.field(default_factory=dict)
    """items: overlap of the events' items with the catalogue. users: overlap of the log's users
    with the user table, if there is one."""

    @property
    def rejected_by_reason(self) -> dict[str, dict[str, int]]:
        """Numbers of rejected records by table and reason, most frequent first."""
        return {name: table.rejected_by_reason for name, table in self.tables.items()}

    def to_json(self) -> str:
        """Returns one JSON object with the totals, `samples`, `meetings` and `tables`."""
        tables = {name: dataclasses.asdict(table) for name, table in self.tables.items()}
        meetings = {name: dataclasses.asdict(overlap) for name, overlap in self.meetings.items()}
        extra = {"samples": self.samples, "meetings": meetings}
        return json.dumps({**self.totals, **extra, "tables": tables})


def parse(text: str) -> Counts:
    """Parses the result of `Counts.to_json`."""
    totals = json.loads(text)
    tables = {name: TableCounts(**table) for name, table in totals.pop("tables").items()}
    samples, meetings = totals.pop("samples", {}), totals.pop("meetings", {})
    overlaps = {name: IdOverlap(**overlap) for name, overlap in meetings.items()}
    return Counts(tables, totals, samples, overlaps)


def name_tally(table: str, what: str, reason: str = "") -> str:
    """Returns the key of a tally: `table/what`, or `table/what/reason`."""
    return "/".join(filter(None, (table, what, reason)))


def name_unreadable_tally(table: str, field: str, example: str) -> str:
    """Returns the key of the tally of a field's unreadable values; `example` describes one."""
    return name_tally(table, _UNREADABLE, json.dumps([field, example]))


def name_assumed_utc_tally(table: str, field: str) -> str:
    """Returns the key of the tally of a field's times without a zone."""
    return name_tally(table, _ASSUMED_UTC, field)


def name_kind_tally(table: str, kind: str) -> str:
    """Returns the key of the tally of events of a kind that the configuration does not name."""
    return name_tally(table, _UNNAMED_KIND, json.dumps(kind))


def sum_tallies(tallies: dict[str, int], tables: tuple[str, ...], totals: dict[str, int]) -> Counts:
    """Converts sums by `name_tally` to the counts of `tables`; a missing tally counts as 0."""
    return Counts({table: _sum_table(tallies, table) for table in tables}, totals)


def write(uri: str, counts: Counts) -> None:
    """Writes the counts into the artifact at `uri`."""
    with FileSystems.create(FileSystems.join(uri, FILE_NAME)) as handle:
        handle.write(counts.to_json().encode())


def load(uri: str) -> Counts:
    """Reads the counts of the execution that wrote the Examples at `uri`."""
    with FileSystems.open(FileSystems.join(uri, FILE_NAME)) as handle:
        return parse(handle.read().decode())


def _sum_table(tallies: dict[str, int], table: str) -> TableCounts:
    reasons = _select_below(tallies, name_tally(table, "rejected"))
    ranked = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    amount = {
        what: tallies.get(name_tally(table, what), 0)
        for what in ("read", "accepted", "duplicates", "unused", "comments", "named_kinds")
    }
    return TableCounts(
        **amount,
        rejected=sum(reasons.values()),
        rejected_by_reason=dict(ranked),
        unreadable=_sum_unreadable(_select_below(tallies, name_tally(table, _UNREADABLE))),
        assumed_utc=_select_below(tallies, name_tally(table, _ASSUMED_UTC)),
        unnamed_kinds=_sum_kinds(_select_below(tallies, name_tally(table, _UNNAMED_KIND))),
    )


def _sum_kinds(by_name: dict[str, int]) -> dict[str, int]:
    ranked = sorted(by_name.items(), key=lambda pair: (-pair[1], pair[0]))
    return {json.loads(name): n for name, n in ranked}


def _sum_unreadable(by_example: dict[str, int]) -> dict[str, UnreadableValues]:
    """For each field the number of values, and the most frequent example."""
    by_field: dict[str, UnreadableValues] = {}
    for name, n in sorted(by_example.items(), key=lambda pair: (-pair[1], pair[0])):
        field, example = json.loads(name)
        by_field.setdefault(field, {"values": 0, "example": example})["values"] += n
    return by_field


def _select_below(tallies: dict[str, int], prefix: str) -> dict[str, int]:
    start = f"{prefix}/"
    return {
        name.removeprefix(start): n for name, n in tallies.items() if n and name.startswith(start)
    }


class WriteCounts(beam.PTransform):
    """PCollection of (key, n) -> the file that `counts.load` reads.

    Keys with a slash belong to a table (`name_tally`); the others are totals of the run.
    """

    def __init__(
        self,
        tables: tuple[str, ...],
        uri: str,
        samples: beam.PCollection | None = None,
        meetings: beam.PCollection | None = None,
    ) -> None:
        """Declares the transform.

        Args:
            tables: Names of the tables.
            uri: URI of the Examples.
            samples: Elements (total, texts), any number for each total.
            meetings: Elements (table, IdOverlap), any number for each table.
        """
        super().__init__()
        self._tables = tables
        self._uri = uri
        self._extra = [part for part in (samples, meetings) if part is not None]

    def expand(self, tallies: beam.PCollection) -> Any:
        """Sums the tallies and writes the file."""
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
    by_table: dict[str, list[IdOverlap]] = {}
    for name, part in meetings:
        by_table.setdefault(name, []).append(part)
    overlaps = {name: merge_overlaps(parts) for name, parts in sorted(by_table.items())}
    shown = dict(sorted(gathered.items()))
    write(uri, dataclasses.replace(counted, samples=shown, meetings=overlaps))
