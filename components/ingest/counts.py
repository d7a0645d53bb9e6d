"""What became of every record: read = accepted + rejected + duplicates, for every table."""

import dataclasses
import json
from collections import Counter
from typing import Any

from apache_beam.io.filesystems import FileSystems

FILE_NAME = "counts.json"
SHOWN = 3
"""Samples of a total that are kept: the first in order of their text."""


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

    @property
    def rejected_by_reason(self) -> dict[str, dict[str, int]]:
        """By table, most frequent first."""
        return {name: table.rejected_by_reason for name, table in self.tables.items()}

    def to_json(self) -> str:
        """One JSON object: the totals, `samples` and `tables`."""
        tables = {name: dataclasses.asdict(table) for name, table in self.tables.items()}
        return json.dumps({**self.totals, "samples": self.samples, "tables": tables})


def from_json(text: str) -> Counts:
    """The reverse of `Counts.to_json`."""
    totals = json.loads(text)
    tables = {name: TableCounts(**table) for name, table in totals.pop("tables").items()}
    samples = totals.pop("samples", {})
    return Counts(tables, totals, samples)


def key(table: str, what: str, reason: str = "") -> str:
    """Name of one tally while the pipeline adds them up."""
    return "/".join(filter(None, (table, what, reason)))


def gather(
    tallies: dict[str, int],
    tables: tuple[str, ...],
    totals: dict[str, int],
    samples: dict[str, list[str]] | None = None,
) -> Counts:
    """Sums by `key` -> counts of `tables`. What never happened is 0."""
    return Counts({table: _of_table(tallies, table) for table in tables}, totals, samples or {})


def write(uri: str, counts: Counts) -> None:
    """Keeps the counts beside the splits, for `load`."""
    with FileSystems.create(FileSystems.join(uri, FILE_NAME)) as handle:
        handle.write(counts.to_json().encode())


def load(uri: str) -> Counts:
    """Counts of the run that wrote the Examples at `uri`."""
    with FileSystems.open(FileSystems.join(uri, FILE_NAME)) as handle:
        return from_json(handle.read().decode())


def _of_table(tallies: dict[str, int], table: str) -> TableCounts:
    prefix = key(table, "rejected") + "/"
    reasons: Any = Counter(
        {name.removeprefix(prefix): n for name, n in tallies.items() if name.startswith(prefix)}
    )
    ranked = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    amount = {what: tallies.get(key(table, what), 0) for what in ("read", "accepted", "duplicates")}
    return TableCounts(**amount, rejected=sum(reasons.values()), rejected_by_reason=dict(ranked))
