"""Broken lines among the events, each of which any honest reader rejects."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

SORTS = (
    "broken_json",
    "missing_user_id",
    "missing_item_id",
    "missing_timestamp",
    "bad_timestamp",
    "not_an_object",
)


@dataclass(frozen=True)
class Faults:
    """Where broken lines go; both arrays [n], in order of `before`."""

    before: np.ndarray
    """Number of the event in front of which the broken line stands, counted from 0."""
    sort: np.ndarray
    """Index into SORTS."""

    def counts(self) -> dict[str, int]:
        """Broken lines by sort, zeros included."""
        return {name: int(np.sum(self.sort == i)) for i, name in enumerate(SORTS)}


def draw_faults(rng: np.random.Generator, n: int, events: int) -> Faults:
    """`n` faults at random places; the sorts are as even as `n` allows."""
    return Faults(
        before=np.sort(rng.integers(events, size=n)),
        sort=rng.permutation(np.arange(n) % len(SORTS)),
    )


def break_line(line: str, sort: str) -> str:
    """A broken copy of `line`, one event's JSON object; `sort` is one of SORTS."""
    if sort == "broken_json":
        return line[: len(line) // 2]
    event: dict[str, Any] = json.loads(line)
    if sort == "not_an_object":
        return json.dumps(list(event.values()))
    if sort == "bad_timestamp":
        return json.dumps({**event, "timestamp": "the day before yesterday"})
    del event[sort.removeprefix("missing_")]
    return json.dumps(event)


def with_faults(lines: list[str], first: int, faults: Faults) -> list[str]:
    """`lines`, those of the events from number `first` on, with their broken lines among them."""
    start, end = np.searchsorted(faults.before, [first, first + len(lines)])
    mixed = list(lines)
    # From the back, so that what is inserted moves no place that is still to come.
    for fault in range(end - 1, start - 1, -1):
        at = int(faults.before[fault]) - first
        mixed.insert(at, break_line(lines[at], SORTS[faults.sort[fault]]))
    return mixed
