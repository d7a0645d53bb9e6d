"""The files of the simulated shop: JSON lines with the columns of configs/simulated.toml.

Every parser must reject the malformed lines among the events.
"""

import datetime
import json
import pathlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.simulator.catalogue import Catalogue
from pipeline.simulator.choices import Outcomes
from pipeline.simulator.users import Users
from pipeline.simulator.vocabulary import DEPARTMENTS, DEVICES, REGIONS, TAGS
from pipeline.simulator.world import DAY

FAULT_KINDS = (
    "broken_json",
    "missing_user_id",
    "missing_item_id",
    "missing_timestamp",
    "bad_timestamp",
    "not_an_object",
)


def format_user_id(number: int) -> str:
    """The id that the files use for user `number`."""
    return f"u{number}"


def format_item_id(number: int) -> str:
    """The id that the files use for item `number`."""
    return f"i{number}"


def format_events(
    users: np.ndarray, items: np.ndarray, timestamps: np.ndarray, outcomes: Outcomes
) -> list[str]:
    """One JSON object per event, without a newline.

    Formatted by hand: no value needs escaping, and json.dumps takes four times as long.

    Args:
        users: User of each event, [n].
        items: Item of each event, [n].
        timestamps: Seconds since epoch, UTC, [n].
        outcomes: Device, purchase and rating of each event, [n] each.
    """
    return [
        f'{{"user_id": "{format_user_id(u)}", "item_id": "{format_item_id(i)}", "timestamp": {t}, '
        f'"device": "{DEVICES[d]}", "purchase": {p}, "rating": {r}}}'
        for u, i, t, d, p, r in zip(
            users.tolist(),
            items.tolist(),
            timestamps.tolist(),
            outcomes.device.tolist(),
            outcomes.purchase.tolist(),
            outcomes.rating.tolist(),
            strict=True,
        )
    ]


class EventFiles:
    """The event files: a single file, or one in a folder per date."""

    def __init__(self, out: pathlib.Path, by_day: bool):
        self._out = out
        self._by_day = by_day
        self._started: set[pathlib.Path] = set()

    def split_by_file(self, timestamps: np.ndarray) -> list[slice]:
        """Slices of ascending `timestamps` [n], n >= 1, one for each file."""
        dates = timestamps // DAY if self._by_day else np.zeros_like(timestamps)
        starts = np.flatnonzero(np.diff(dates, prepend=dates[0] - 1)).tolist()
        return [slice(*ends) for ends in zip(starts, [*starts[1:], len(dates)], strict=True)]

    def write(self, timestamp: int, lines: list[str]) -> None:
        """Appends `lines` to the file for the date of `timestamp`, seconds since epoch, UTC.

        The first call for a file replaces what an earlier simulation wrote.
        """
        path = self._out / "events.jsonl"
        if self._by_day:
            date = datetime.datetime.fromtimestamp(timestamp, datetime.timezone.utc).date()
            path = self._out / "events" / date.isoformat() / "events.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if path in self._started else "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        self._started.add(path)


def write_items(path: pathlib.Path, catalogue: Catalogue, in_stock: np.ndarray) -> None:
    """Writes the whole catalogue, also items that no user chose; `in_stock` [items] is bool."""
    categories = list(DEPARTMENTS)
    _write_rows(
        path,
        (
            {
                "item_id": format_item_id(i),
                "title": catalogue.titles[i],
                "category": categories[catalogue.category[i]],
                "tags": [TAGS[tag] for tag in catalogue.tags[i]],
                "price": float(catalogue.price[i]),
                "in_stock": bool(in_stock[i]),
            }
            for i in range(len(catalogue))
        ),
    )


def write_users(path: pathlib.Path, users: Users) -> None:
    """Writes the whole user table."""
    rows = (
        {"user_id": format_user_id(u), "region": REGIONS[r]} for u, r in enumerate(users.region)
    )
    _write_rows(path, rows)


def _write_rows(path: pathlib.Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


@dataclass(frozen=True)
class Faults:
    """Positions and kinds of malformed lines; both arrays [n], in order of `next_event`."""

    next_event: np.ndarray
    """Number of the event that the malformed line precedes, counted from 0."""
    kind: np.ndarray
    """Index into FAULT_KINDS."""

    def count_by_kind(self) -> dict[str, int]:
        """Number of malformed lines by kind, zeros included."""
        return {name: int(np.sum(self.kind == i)) for i, name in enumerate(FAULT_KINDS)}


def draw_faults(rng: np.random.Generator, n: int, events: int) -> Faults:
    """`n` faults at random positions, with kinds as even as `n` allows."""
    return Faults(
        next_event=np.sort(rng.integers(events, size=n)),
        kind=rng.permutation(np.arange(n) % len(FAULT_KINDS)),
    )


def break_line(line: str, kind: str) -> str:
    """A malformed copy of `line`, one event's JSON object; `kind` is one of FAULT_KINDS."""
    if kind == "broken_json":
        return line[: len(line) // 2]
    event: dict[str, Any] = json.loads(line)
    if kind == "not_an_object":
        return json.dumps(list(event.values()))
    if kind == "bad_timestamp":
        return json.dumps({**event, "timestamp": "the day before yesterday"})
    del event[kind.removeprefix("missing_")]
    return json.dumps(event)


def insert_faults(lines: list[str], first: int, faults: Faults) -> list[str]:
    """`lines`, of the events from number `first` on, with their malformed lines inserted."""
    start, end = np.searchsorted(faults.next_event, [first, first + len(lines)])
    mixed = list(lines)
    # From the back, so that an insertion does not shift the positions still to come.
    for fault in range(end - 1, start - 1, -1):
        at = int(faults.next_event[fault]) - first
        mixed.insert(at, break_line(lines[at], FAULT_KINDS[faults.kind[fault]]))
    return mixed
