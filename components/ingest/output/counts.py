"""What became of every record: read = accepted + rejected + duplicates, for every table."""

import dataclasses
import json
from typing import TypedDict

from apache_beam.io.filesystems import FileSystems

from components.ingest.output.id_overlap import Meeting

FILE_NAME = "counts.json"
SHOWN = 3
"""Samples of a total that are kept: the first in order of their text."""
_UNREADABLE = "unreadable"


class Unreadable(TypedDict):
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
    unreadable: dict[str, Unreadable] = dataclasses.field(default_factory=dict)
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
    those that `far_events` names. Items: items."""
    samples: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    """By total, some of what it counts, as a message names them."""
    meetings: dict[str, Meeting] = dataclasses.field(default_factory=dict)
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


def from_json(text: str) -> Counts:
    """The reverse of `Counts.to_json`."""
    totals = json.loads(text)
    tables = {name: TableCounts(**table) for name, table in totals.pop("tables").items()}
    samples, meetings = totals.pop("samples", {}), totals.pop("meetings", {})
    met = {name: Meeting(**found) for name, found in meetings.items()}
    return Counts(tables, totals, samples, met)


def key(table: str, what: str, reason: str = "") -> str:
    """Name of one tally while the pipeline adds them up."""
    return "/".join(filter(None, (table, what, reason)))


def unreadable_key(table: str, field: str, example: str) -> str:
    """Name of the tally of a field's unreadable values, of which `example` explains one."""
    return key(table, _UNREADABLE, json.dumps([field, example]))


def gather(tallies: dict[str, int], tables: tuple[str, ...], totals: dict[str, int]) -> Counts:
    """Sums by `key` -> counts of `tables`. What never happened is 0."""
    return Counts({table: _of_table(tallies, table) for table in tables}, totals)


def write(uri: str, counts: Counts) -> None:
    """Keeps the counts beside the splits, for `load`."""
    with FileSystems.create(FileSystems.join(uri, FILE_NAME)) as handle:
        handle.write(counts.to_json().encode())


def load(uri: str) -> Counts:
    """Counts of the run that wrote the Examples at `uri`."""
    with FileSystems.open(FileSystems.join(uri, FILE_NAME)) as handle:
        return from_json(handle.read().decode())


def _of_table(tallies: dict[str, int], table: str) -> TableCounts:
    reasons = _below(tallies, key(table, "rejected"))
    ranked = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    amount = {what: tallies.get(key(table, what), 0) for what in ("read", "accepted", "duplicates")}
    return TableCounts(
        **amount,
        rejected=sum(reasons.values()),
        rejected_by_reason=dict(ranked),
        unreadable=_unreadable(_below(tallies, key(table, _UNREADABLE))),
    )


def _unreadable(by_example: dict[str, int]) -> dict[str, Unreadable]:
    """Of each field all values, and the example that stood for most of them."""
    found: dict[str, Unreadable] = {}
    for name, n in sorted(by_example.items(), key=lambda pair: (-pair[1], pair[0])):
        field, example = json.loads(name)
        found.setdefault(field, {"values": 0, "example": example})["values"] += n
    return found


def _below(tallies: dict[str, int], prefix: str) -> dict[str, int]:
    start = f"{prefix}/"
    found = {name: n for name, n in tallies.items() if n and name.startswith(start)}
    return {name.removeprefix(start): n for name, n in found.items()}
