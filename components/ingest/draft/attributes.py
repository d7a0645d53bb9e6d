"""Which tables describe the items and the users of a log, and by which column."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from components.ingest.draft import names
from components.ingest.draft.column import Column, detect_time
from components.ingest.draft.event_table import EventTable
from components.ingest.draft.events import rename_columns
from components.ingest.draft.tables import FoundTable

_UNIQUE = 0.9
_LEAST = 0.3


class AttributeTable(NamedTuple):
    """A table that describes items or users."""

    table: FoundTable
    id: str
    properties: dict[str, Any] | None = None
    """Keys of a long table, with a row for each value of a property."""


class _Match(NamedTuple):
    score: float
    kind: str
    attributes: AttributeTable


def find_attribute_tables(
    log: EventTable, tables: Sequence[FoundTable]
) -> dict[str, AttributeTable]:
    """Returns the best table for `items` and for `users`, if there is one.

    A table fits if one of its columns identifies its rows, and shares values with the users or the
    items of the log; the same or a usual name of the column and of the file count too.
    """
    matches = [
        match
        for table in tables
        for kind, name in (("items", log.item), ("users", log.user))
        if (match := _match_table(table, kind, log.list_ids(kind), name)) is not None
    ]
    chosen: dict[str, AttributeTable] = {}
    for match in sorted(matches, key=lambda match: -match.score):
        is_used = any(match.attributes.table.path == each.table.path for each in chosen.values())
        if match.kind not in chosen and not is_used:
            chosen[match.kind] = match.attributes
    return {kind: _name_id(kind, attributes) for kind, attributes in chosen.items()}


def _match_table(table: FoundTable, kind: str, logged: set[str], log_column: str) -> _Match | None:
    known = names.ITEMS if kind == "items" else names.USERS
    properties = _find_properties(table) if kind == "items" else None
    scored = []
    for column in table.sample.columns.values():
        if properties is None and not _identifies(column):
            continue
        values = column.distinct
        overlap = len(values & logged) / max(1, min(len(values), len(logged)))
        own = names.normalize(column.name)
        score = overlap + 0.5 * (own == names.normalize(log_column)) + 0.3 * (own in known)
        scored.append((score, column.name))
    score, name = max(scored, key=lambda pair: pair[0], default=(0.0, ""))
    if score < _LEAST:
        return None
    score += 0.5 * (names.guess_kind(table.path) == kind)
    return _Match(score, kind, AttributeTable(table, name, properties))


def _identifies(column: Column) -> bool:
    present = column.present
    is_scalar = len(column.texts) == len(present)
    return is_scalar and bool(present) and len(column.distinct) >= _UNIQUE * len(present)


def _find_properties(table: FoundTable) -> dict[str, Any] | None:
    """Keys of a long table, if columns are named as a property, its value and a time."""
    by_name = {names.normalize(name): name for name in table.sample.columns}
    found = [
        next((by_name[name] for name in known if name in by_name), None)
        for known in (names.PROPERTIES, names.VALUES, names.TIMES)
    ]
    if None in found:
        return None
    keys = dict(zip(("property", "value", "timestamp"), found, strict=True))
    form = detect_time(table.sample.columns[str(keys["timestamp"])])
    keys |= {} if form is None else {f"timestamp_{k}": v for k, v in form.options.items()}
    return {key: value for key, value in keys.items() if value != key}


def _name_id(kind: str, attributes: AttributeTable) -> AttributeTable:
    """Names the id of a table without a header."""
    sample = attributes.table.sample
    if sample.has_names:
        return attributes
    name = f"{kind[:-1]}_id"
    renamed = attributes.table._replace(sample=rename_columns(sample, {attributes.id: name}))
    return attributes._replace(table=renamed, id=name)
