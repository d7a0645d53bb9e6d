"""Tables of events that are the parts of a published split, by the names of their files."""

import re
from collections.abc import Sequence

from components.ingest.draft.event_table import EventTable

_NAMES = {
    "train": re.compile(r"(?<![a-z])(train|training)(?![a-z])"),
    "valid": re.compile(r"(?<![a-z])(valid|validation|val|dev)(?![a-z])"),
    "test": re.compile(r"(?<![a-z])(test|testing)(?![a-z])"),
}


def is_named_after_split(path: str) -> bool:
    """Whether the path has the name of a split, such as `test.csv`."""
    return any(pattern.search(path.lower()) for pattern in _NAMES.values())


def find_split_tables(tables: Sequence[EventTable]) -> dict[str, EventTable]:
    """Returns the table of each split; nothing unless there are one of train and one of test, with
    the same columns.
    """
    found = {
        split: [each for each in tables if pattern.search(each.table.path.lower())]
        for split, pattern in _NAMES.items()
    }
    if len(found["train"]) != 1 or len(found["test"]) != 1 or len(found["valid"]) > 1:
        return {}
    chosen = {split: each[0] for split, each in found.items() if each}
    columns = [list(each.table.sample.columns) for each in chosen.values()]
    return chosen if all(each == columns[0] for each in columns) else {}
