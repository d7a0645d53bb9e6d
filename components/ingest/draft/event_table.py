"""A table of events, and the roles of its columns."""

from typing import Any, NamedTuple

from components.ingest.draft.tables import FoundTable


class EventTable(NamedTuple):
    """A table of events."""

    table: FoundTable
    user: str
    item: str
    time: str | None
    """Column of the time; None if there is none, and for sequences, whose order is their time."""
    keys: dict[str, Any]
    """`timestamp_…` keys, and those of `shown_items`."""
    doubts: list[str]
    listed: frozenset[str] = frozenset()
    """Items of the first records, if they are in lists."""

    @property
    def is_sequences(self) -> bool:
        """Whether the table consists of sequences."""
        return self.table.sample.is_sequences

    def list_ids(self, kind: str) -> set[str]:
        """Returns the ids of the `items` or `users` of the first records."""
        if kind == "items" and self.listed:
            return set(self.listed)
        column = self.table.sample.columns.get(self.item if kind == "items" else self.user)
        return set() if column is None else column.distinct

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """The log is the table with the highest rank: one with times, before sequences, before
        sampled negatives and tables without times; of several, the largest.
        """
        is_doubtful = self.is_sequences and bool(self.table.sample.doubts)
        return self.time is not None, self.is_sequences and not is_doubtful, self.table.size
