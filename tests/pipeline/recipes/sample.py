"""Type of the made samples: files in a published layout with own values, and planted counts."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Sample:
    """Files in the layout of a data set, and what ingestion must make of them."""

    files: Mapping[str, str | bytes]
    """Content by name; files whose name ends in `.gz` are compressed when they are written."""
    events: int
    """Accepted events of all tables of the log."""
    items: int
    """Items of the catalogue; without one, those of the events."""
    users: int
    """Users with events."""
    event: tuple[str, str, int]
    """User, item and time (seconds since epoch, UTC) of one of the events."""
    item: Mapping[str, Any]
    """One Example of the catalogue, numbers rounded to two places."""
    user: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Features of the user of `event` in its Example."""
    rejected: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)
    """Rejected records by table and reason."""
    duplicates: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Duplicates by table."""
    unused: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Unused records by table."""
    labels: Mapping[str, list[float]] = dataclasses.field(default_factory=dict)
    """All labels that are not missing, by name, sorted, of all splits."""
