"""Drafts the tables, features and labels of a configuration from the files of a folder."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from components.ingest.draft import names
from components.ingest.draft.attributes import AttributeTable, find_attribute_tables
from components.ingest.draft.column import Column, holds_booleans
from components.ingest.draft.event_table import EventTable
from components.ingest.draft.events import can_be_rating, find_event_tables
from components.ingest.draft.feature_kinds import Features, choose_features, find_title
from components.ingest.draft.number_keys import find_number_keys
from components.ingest.draft.split_files import find_split_tables, is_named_after_split
from components.ingest.draft.tables import FoundTable, find_tables
from schema.errors import DataRefused

_DEFAULTS = {
    "format": "csv",
    "user_id": "user_id",
    "item_id": "item_id",
    "timestamp": "timestamp",
}
_MOST_EVENTS = 20


class TableDraft(NamedTuple):
    """One table of the configuration."""

    kind: str
    """interactions, items or users."""
    keys: dict[str, Any]
    """Keys that differ from their defaults; the path first."""
    columns: list[str]
    doubts: list[str]
    features: Features = Features({}, {})


class Draft(NamedTuple):
    """A configuration, and what is unsure about it."""

    tables: list[TableDraft]
    """The log first; several tables of interactions are the parts of a published split."""
    labels: dict[str, dict[str, Any]]
    """Ranking labels by name."""
    events: dict[str, list[str]]
    """Columns that may hold kinds of events, and their values."""
    more_events: list[TableDraft]
    """Further tables with users and items, which the configuration does not read."""
    others: dict[str, str]
    """Files that it does not read either, and what they are."""
    split: str
    """`split.kind`."""
    has_times: bool
    """Whether the log has times."""


def draft_tables(folder: str) -> Draft:
    """Looks at the files below `folder` and drafts a configuration.

    Raises UsageError for a folder without files, and DataRefused if no file has columns of users
    and items.
    """
    found = find_tables(folder)
    events = find_event_tables(found.tables)
    if not events:
        raise DataRefused(_describe_missing_log(folder, found.tables, found.others))
    parts = find_split_tables(events)
    log, *more = [*parts.values(), *(each for each in events if each not in parts.values())]
    rest = [t for t in found.tables if t.path not in {each.table.path for each in events}]
    unsplit = [table for table in rest if not is_named_after_split(table.path)]
    described = find_attribute_tables(log, unsplit)
    logs = [_draft_part(split, each) for split, each in parts.items()] or [_draft_events(log)]
    tables = [_draft_attributes(kind, described[kind]) for kind in sorted(described)]
    used = {each.table.path for each in described.values()}
    others = {t.path: f"columns {_join(t)}" for t in rest if t.path not in used} | found.others
    labels, kinds = _find_labels(log)
    further = [_draft_events(each) for each in more if each not in parts.values()]
    split = "files" if parts else _choose_split(log)
    logs[0].doubts.extend(_doubt_kinds(kinds))
    return Draft(
        [*logs, *tables],
        labels,
        kinds,
        further,
        others,
        split,
        has_times=log.time is not None,
    )


def _doubt_kinds(kinds: Mapping[str, list[str]]) -> list[str]:
    return [
        f"labels.events: {column} is a kind of event; which kinds are positive, with which weights?"
        for column in kinds
    ]


def _choose_split(log: EventTable) -> str:
    if log.time is not None:
        return "clock"
    return "last_item" if log.table.sample.options.get("format") == "sequences" else "random"


def _draft_part(split: str, events: EventTable) -> TableDraft:
    """One table of a published split; `lists` need no order."""
    table = _draft_events(events)
    keys = table.keys | {"split": split}
    if events.is_sequences:
        keys["format"] = "lists"
    doubts = [*table.doubts, f"split: are these the events of {split}, by the name of the file?"]
    return table._replace(keys=keys, doubts=doubts)


def _draft_events(events: EventTable) -> TableDraft:
    sample = events.table.sample
    keys = {"path": events.table.path, **sample.options, **find_number_keys(sample)}
    keys |= {"user_id": events.user, "item_id": events.item}
    keys |= {} if events.is_sequences else {"timestamp": events.time or ""}
    doubts = [*sample.doubts, *events.doubts]
    if names.normalize(events.user) in names.SESSIONS:
        doubts.append("user_id: are the users sessions, which do not return?")
    if not events.is_sequences and events.time is None:
        doubts.append("timestamp: no column of times was found; are there times?")
    return TableDraft(
        "interactions", _omit_defaults(keys | events.keys), list(sample.columns), doubts
    )


def _draft_attributes(kind: str, attributes: AttributeTable) -> TableDraft:
    sample = attributes.table.sample
    keys = {"path": attributes.table.path, **sample.options, **find_number_keys(sample)}
    keys |= {f"{kind[:-1]}_id": attributes.id}
    if attributes.properties is not None:
        return _draft_properties(keys, attributes)
    omitted, doubts = {attributes.id}, list(sample.doubts)
    if kind == "items":
        available = _find_available(sample.columns)
        omitted |= {available} if available else set()
        title = find_title(sample.columns, omitted)
        keys |= {"title": title} if title else {}
        keys |= {"available": available} if available else {}
    features = choose_features(sample.columns, omitted)
    if features.held_back:
        left = ", ".join(features.held_back)
        doubts.append(f"features: {left} may count the events that are to be predicted")
    for feature, column in features.chosen.items():
        if column.get("column", feature) == keys.get("title"):
            features.chosen[feature] = column | {"kind": "text"}
    return TableDraft(kind, _omit_defaults(keys), list(sample.columns), doubts, features)


def _draft_properties(keys: dict[str, Any], attributes: AttributeTable) -> TableDraft:
    """A long table: each property whose name is a word is a category, but for `available`."""
    properties, columns = attributes.properties or {}, attributes.table.sample.columns
    found = columns[properties.get("property", "property")].distinct
    worded = sorted(name for name in found if name[:1].isalpha())
    available = next((n for n in worded if names.normalize(n) in names.AVAILABLE), None)
    keys |= {"available": available} if available else {}
    keys["properties"] = properties
    chosen = {n.lower(): {"kind": "category", "column": n} for n in worded if n != available}
    doubts = [
        f"properties: of {len(found)} properties, only those with words as names are features"
    ]
    return TableDraft("items", _omit_defaults(keys), list(columns), doubts, Features(chosen, {}))


def _find_available(columns: Mapping[str, Column]) -> str | None:
    return next(
        (
            name
            for name, column in columns.items()
            if names.normalize(name) in names.AVAILABLE
            and (holds_booleans(column) or (column.texts and column.distinct <= {"0", "1"}))
        ),
        None,
    )


def _find_labels(events: EventTable) -> tuple[dict[str, dict[str, Any]], dict[str, list[str]]]:
    """Ratings and outcomes, as labels; and columns of kinds of events with their values."""
    labels, kinds = {}, {}
    for name, column in events.table.sample.columns.items():
        own = names.normalize(name)
        if own in names.RATINGS and can_be_rating(column):
            labels.setdefault("rating", {"column": name, "kind": "regression"})
        elif own in names.OUTCOMES and column.distinct == {"0", "1"}:
            labels[own] = {"column": name, "kind": "binary"}
        elif own in names.EVENTS and 1 < len(column.distinct) <= _MOST_EVENTS:
            kinds[name] = sorted(column.distinct)
    return labels, kinds


def _omit_defaults(keys: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if _DEFAULTS.get(key) != value}


def _join(table: FoundTable) -> str:
    return ", ".join(table.sample.columns)


def _describe_missing_log(folder: str, tables: Sequence[FoundTable], others: dict[str, str]) -> str:
    found = [f"{t.path} with columns {_join(t)}" for t in tables]
    found += [f"{path}: {reason}" for path, reason in others.items()]
    return (
        f"expected a file of events in {folder}, with columns of users and items, received none "
        f"({'; '.join(found)}); write the configuration by hand, see docs/DATA.md"
    )
