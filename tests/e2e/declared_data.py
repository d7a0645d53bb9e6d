"""Small synthetic data with the columns that a configuration declares."""

import csv
import datetime
import json
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from pipeline.config.config import Config
from schema.features import Feature
from schema.labels import Events
from schema.sources import SPAN, InteractionsSource, Source

USERS, ITEMS, DAYS, A_DAY = 30, 30, 70, 12
_T0 = 1_704_067_200  # 2024-01-01
_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}
_WORDS = ("red", "green", "blue", "small", "large", "wood", "steel")

Row = dict[str, Any]


def write(config: Config, folder: pathlib.Path) -> None:
    """Writes all tables. All users interact with the items in the same order, each from a different
    start.

    Raises:
        AssertionError: The declared kind of data cannot be generated here.
    """
    data = config.data
    if data.items is not None:
        _write(data.item_tables[0], list(_items(config)), folder, "data.items")
    events, tables = list(_events(config)), data.event_tables
    share = -(-len(events) // len(tables))
    for number, table in enumerate(tables):
        part = events[number * share : (number + 1) * share]
        _write(table, part, folder, "data.interactions")
    if data.users is not None:
        rows = [
            {data.users.user_id: f"u{n}"} | _features(config.features.users, n)
            for n in range(USERS)
        ]
        _write(data.users, rows, folder, "data.users")


def _items(config: Config) -> Iterator[Row]:
    [source] = config.data.item_tables
    for n in range(ITEMS):
        row = _features(config.features.items, n)
        if source.title is not None:
            row.setdefault(source.title, f"thing {n}")
        if source.available is not None:
            row[source.available] = 1
        yield row | {source.item_id: f"i{n}"}


def _events(config: Config) -> Iterator[Row]:
    source, labels = config.data.interactions, config.labels
    units = _UNITS.keys()
    assert source.timestamp_unit in units, f"cannot generate times in {source.timestamp_unit}"
    label_columns = [label.column for label in labels.ranking.values()]
    if labels.positive is not None:
        label_columns.append(labels.positive.column)
    if labels.weight is not None:
        label_columns.append(labels.weight.column)
    for n in range(DAYS * A_DAY):
        moment = _T0 + n * 86_400 // A_DAY
        item = f"i{(n % USERS * 7 + n // USERS) % ITEMS}"
        row = {
            **_features(config.features.context, n),
            **dict.fromkeys(label_columns, n % 5 + 1),
            **_item_lists(source, item, n),
            **_kind(config.labels.events, n),
            source.user_columns[0]: f"u{n % USERS}",
            source.item_id: item,
        }
        time = {source.timestamp: moment * _UNITS[source.timestamp_unit]}
        yield row | (time if source.has_times else {})


def _kind(events: Events | None, n: int) -> Row:
    if events is None:
        return {}
    kinds = sorted(events.positive)
    return {events.column: kinds[n % len(kinds)]}


def _item_lists(source: InteractionsSource, item: str, n: int) -> Row:
    row: Row = {}
    if source.impressions is not None:
        assert source.impressions.clicked == "suffix", "cannot generate other impressions"
        others = [f"i{(n + step) % ITEMS}-0" for step in (1, 2, 3)]
        row[source.impressions.shown] = " ".join([f"{item}-1", *others])
    if source.history is not None:
        row[source.history.column] = f"i{n % USERS} i{(n + 1) % USERS}"
    return row


def _features(features: Mapping[str, Feature], n: int) -> Row:
    row: Row = {}
    for name, feature in features.items():
        words = [_WORDS[n % len(_WORDS)], _WORDS[n // 3 % len(_WORDS)]]
        values = {"category": words[0], "text": " ".join(words), "number": n, "timestamp": _T0 + n}
        if feature.kind == "set":
            values["set"] = feature.separator.join(words)
        assert feature.kind in values, f"cannot generate {feature.kind} features: add them here"
        row[feature.column or name] = values[feature.kind]
    return row


def _write(source: Source, rows: list[Row], folder: pathlib.Path, key: str) -> None:
    writers = {"csv": _write_delimited, "jsonl": _write_json, "lists": _write_lists}
    assert source.format in writers, f"{key}: cannot write {source.format}: add a writer here"
    is_relative = not source.path.startswith("/") and "://" not in source.path
    assert is_relative, f"{key}: expected a relative path, received {source.path}"
    for path, part in _files(source, rows):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        writers[source.format](folder / path, source, part)


def _files(source: Source, rows: list[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Path and rows of one file, or of one for each day; a glob's `*` is replaced by 1."""
    path = source.path.replace("*", "1")
    if not pathlib.PurePath(path).suffix:
        path += f"/part.{source.format}"
    if SPAN not in path:
        yield path, rows
        return
    time = getattr(source, "timestamp", None)
    assert time is not None, f"{source.path}: only events are written in spans"
    for day, part in groupby(rows, lambda row: _date(row[time])):
        yield path.replace(SPAN, day), list(part)


def _date(moment: int) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).date().isoformat()


def _write_json(path: pathlib.Path, source: Source, rows: Iterable[Row]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _write_delimited(path: pathlib.Path, source: Source, rows: list[Row]) -> None:
    names = source.columns or list(rows[0])
    assert len(source.delimiter) == 1, f"cannot write the delimiter {source.delimiter!r}"
    with path.open("w", encoding=source.encoding, newline="") as file:
        writer = csv.DictWriter(file, names, delimiter=source.delimiter)
        if source.columns is None:
            writer.writeheader()
        writer.writerows(rows)


def _write_lists(path: pathlib.Path, source: Source, rows: list[Row]) -> None:
    by_user: dict[str, list[str]] = {}
    for row in rows:
        by_user.setdefault(row["user_id"], []).append(row["item_id"])
    lines = (f"{user} {' '.join(items)}\n" for user, items in by_user.items())
    path.write_text("".join(lines), encoding=source.encoding)
