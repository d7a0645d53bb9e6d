"""Which table is the event log, and which of its columns are users, items and times."""

from collections.abc import Mapping, Sequence

from components.ingest.draft import names
from components.ingest.draft.column import (
    Column,
    format_value,
    holds_booleans,
    holds_integers,
    holds_lists,
    holds_numbers,
)
from components.ingest.draft.event_table import EventTable
from components.ingest.draft.event_time import find_time
from components.ingest.draft.file_sample import FileSample
from components.ingest.draft.named_columns import choose_by_name
from components.ingest.draft.shown_items import ShownItems, find_shown_items
from components.ingest.draft.tables import FoundTable

_FEW_MISSING = 0.2
_UNIQUE = 0.9
_FEWEST = 2  # records: a file with one object is a configuration or a summary
_REJECTED = 0.01  # the default of data.max_rejected_fraction
_LARGEST_RATING = 10
_MOST_RATINGS = 21


def find_event_tables(tables: Sequence[FoundTable]) -> list[EventTable]:
    """Returns the tables with users and items, the log first."""
    found = [events for events in map(_find_columns, tables) if events is not None]
    return sorted(found, key=lambda events: events.rank, reverse=True)


def can_be_rating(column: Column) -> bool:
    """Whether the values are a few different numbers from 0 to 10."""
    if not holds_numbers(column) or not 1 < len(column.distinct) <= _MOST_RATINGS:
        return False
    try:
        return all(0 <= float(text) <= _LARGEST_RATING for text in column.distinct)
    except ValueError:  # one of a few texts among numbers
        return False


def _find_columns(table: FoundTable) -> EventTable | None:
    sample = table.sample
    if sample.is_sequences:
        return EventTable(table, "user_id", "item_id", None, {}, [])
    if max((len(column.values) for column in sample.columns.values()), default=0) < _FEWEST:
        return None
    shown = find_shown_items(list(sample.columns.values()))
    if shown is not None:
        return _build_shown_table(table, shown)
    if not sample.has_names:
        return _name_columns(table)
    ids = [column for column in sample.columns.values() if _can_be_named_id(column)]
    user = choose_by_name(ids, names.USERS)
    item = choose_by_name([column for column in ids if column is not user], names.ITEMS)
    if user is None or item is None:
        return None
    doubts = [*_doubt_others(ids, user, names.USERS), *_doubt_others(ids, item, names.ITEMS)]
    doubts += _doubt_missing({"user_id": user, "item_id": item})
    rest = [column for column in sample.columns.values() if column not in (user, item)]
    time, keys, unsure = find_time(rest)
    events = EventTable(table, user.name, item.name, time, keys, [*doubts, *unsure])
    return _use_all_items(events, sample)


def _use_all_items(events: EventTable, sample: FileSample) -> EventTable:
    """Reads all elements of a list, if the item is its first one."""
    every = sample.columns.get(events.item.replace("[0]", "[]"))
    if "[0]" not in events.item or every is None:
        return events
    doubt = f"basket: each element of {every.name} is an event of its own; is that right?"
    ids = frozenset(format_value(value) for values in every.present for value in values)
    return events._replace(
        item=every.name,
        keys={"basket": {}, **events.keys},
        doubts=[*events.doubts, doubt],
        listed=ids,
    )


def _build_shown_table(table: FoundTable, shown: ShownItems) -> EventTable | None:
    """A log of impressions; without a header, the user is the first id that recurs."""
    columns = [c for c in table.sample.columns.values() if c.name not in shown.columns]
    time, keys, unsure = find_time(columns)
    ids = [column for column in columns if column.name != time and _can_be_id(column)]
    named = choose_by_name(ids, names.USERS) if table.sample.has_names else None
    user = named or next((column for column in ids if not _is_unique(column)), None)
    if user is None or time is None:
        return None
    doubts = ["impressions: do the marks -1 and -0 mean clicked and not clicked?", *unsure]
    keys = keys | shown.keys
    return EventTable(table, user.name, "item_id", time, keys, doubts, shown.ids)


def _name_columns(table: FoundTable) -> EventTable | None:
    """Columns without names: the first column of times, then the first two that can be ids, of
    which one recurs, or both if there are no times.
    """
    columns = list(table.sample.columns.values())
    time, keys, unsure = find_time(columns)
    able = [column for column in columns if column.name != time and _can_be_id(column)]
    unlike_ratings = [column for column in able if not can_be_rating(column)]
    ids = (unlike_ratings if len(unlike_ratings) > 1 else able)[:2]
    unique = sum(map(_is_unique, ids))
    if len(ids) < 2 or unique > (time is not None):
        return None
    if time is None and any(map(_has_blanks, ids)):
        return None
    new_names = {ids[0].name: "user_id", ids[1].name: "item_id"}
    new_names |= {} if time is None else {time: "timestamp"}
    rating = next((c for c in columns if c.name not in new_names and can_be_rating(c)), None)
    if rating is not None:
        new_names[rating.name] = "rating"
    doubts = [
        "user_id and item_id: the first two columns that can be ids; could they be exchanged?"
    ]
    renamed = table._replace(sample=rename_columns(table.sample, new_names))
    named_time = None if time is None else "timestamp"
    return EventTable(renamed, "user_id", "item_id", named_time, keys, [*doubts, *unsure])


def rename_columns(sample: FileSample, new_names: dict[str, str]) -> FileSample:
    """Returns a sample without a header in which columns have other names."""
    columns = {
        (own := new_names.get(name, name)): column._replace(name=own)
        for name, column in sample.columns.items()
    }
    return sample._replace(columns=columns, options=sample.options | {"columns": list(columns)})


def _doubt_others(ids: Sequence[Column], chosen: Column, known: Sequence[str]) -> list[str]:
    others = [c.name for c in ids if c is not chosen and names.normalize(c.name) in known]
    role = "user_id" if known is names.USERS else "item_id"
    return [f"{role}: {', '.join(others)} could be it too"] if others else []


def _doubt_missing(ids: Mapping[str, Column]) -> list[str]:
    shares = {key: column.missing_share for key, column in ids.items()}
    return [
        f"{key}: {100 * share:.0f} % of the records have none and are rejected; if that is right, "
        "raise data.max_rejected_fraction"
        for key, share in shares.items()
        if share > _REJECTED
    ]


def _can_be_id(column: Column) -> bool:
    return _can_be_named_id(column) and (not holds_numbers(column) or holds_integers(column))


def _can_be_named_id(column: Column) -> bool:
    """Text such as `1234567.8901234` can be an id if the column has the name of one."""
    is_scalar = len(column.texts) == len(column.present)
    is_fraction = any(isinstance(value, float) and value % 1 for value in column.present)
    return (
        column.missing_share <= _FEW_MISSING
        and is_scalar
        and not is_fraction
        and not holds_lists(column)
        and not holds_booleans(column)
    )


def _has_blanks(column: Column) -> bool:
    """Whether most values are of several words, as titles are."""
    return sum(" " in text for text in column.texts) > len(column.texts) / 2


def _is_unique(column: Column) -> bool:
    return len(column.distinct) >= _UNIQUE * len(column.present)
