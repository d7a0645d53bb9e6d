"""The rules that the result of an ingestion must pass before other components use it."""

from collections import Counter
from collections.abc import Iterable

from apache_beam.io.filesystems import FileSystems

from components.ingest.output.counts import Counts, TableCounts
from components.ingest.output.id_overlap import BLANKS, IdOverlap, find_likely_change
from components.ingest.output.rejection_rules import require_absence, require_limit
from schema import timeline
from schema.errors import DataRefused
from schema.sources import Data


def check(counts: Counts, data: Data, rejected_dir: str, is_whole_log: bool = True) -> None:
    """Raises AssertionError if records were lost, and DataRefused if the data broke a rule.

    The rules: enough of the log's ids are in the other tables; every table has an accepted record;
    no file is damaged; no record was rejected for a reason that stops the run by configuration; no
    optional column has only unreadable values; at most `data.max_rejected_fraction` of a table's
    records were rejected; every split has an event.

    Args:
        counts: Counts of one execution of a component.
        data: Description of the tables.
        rejected_dir: Folder or URL of the dead letters.
        is_whole_log: Whether the events are those of the whole log. Those of an hour need no event
            of a kind that the configuration names.
    """
    for name, table in counts.tables.items():
        _require_conservation(name, table)
    _require_overlap(counts, data)
    for name, table in counts.tables.items():
        folder = FileSystems.join(rejected_dir, name)
        require_absence(data, name, table, folder)
        _require_readable(name, table)
        require_limit(name, table, data.max_rejected_fraction, folder)
        if is_whole_log or not table.unused:
            _require_records(name, table)
    if is_whole_log:
        _require_named_kinds(counts)
    empty = [split for split in timeline.SPLITS if counts.totals.get(split) == 0]
    if empty:
        raise DataRefused(
            f"interactions: expected events in every split, received none in {', '.join(empty)} of "
            f"{_count_events(counts)} events {_describe_split(counts.totals)}"
        )


def _count_events(counts: Counts) -> int:
    """Accepted events of all tables of the log."""
    return sum(table.accepted for table in _list_event_tables(counts))


def _list_event_tables(counts: Counts) -> list[TableCounts]:
    return [
        table for name, table in counts.tables.items() if name.partition(".")[0] == "interactions"
    ]


def _require_overlap(counts: Counts, data: Data) -> None:
    rules = {
        "items": ("events to be of items in the catalogue", "min_known_items"),
        "users": ("users of the log to be in the user table", "min_known_users"),
    }
    for name, overlap in counts.meetings.items():
        expected, key = rules[name]
        least = getattr(data, key)
        if overlap.share < least:
            raise DataRefused(
                f"{name}: expected at least {least:.2%} of the {expected} (data.{key}), "
                f"received {overlap.met:,} of {overlap.total:,} ({overlap.share:.2%}); the log has "
                f"{_format_ids(overlap.alone)}, the table {_format_ids(overlap.others)}; "
                f"{_suggest_remedy(overlap, least)}, or lower data.{key}"
            )


def _format_ids(ids: Iterable[str]) -> str:
    return ", ".join(map(repr, ids)) or "no other id"


def _suggest_remedy(overlap: IdOverlap, least: float) -> str:
    reason = find_likely_change(overlap, least)
    if reason is None:
        return "are the id columns of both tables right? write the same ids in both tables"
    share = overlap.by_change[reason] / overlap.total
    key = " or set strip_fields" if reason == BLANKS else ""
    return f"without {reason} {share:.2%} would match: write ids alike in both tables{key}"


def _describe_split(totals: dict[str, int]) -> str:
    if "t_valid" not in totals:
        return (
            "(split.kind is last_item, random or files); add users with at least three events, or "
            "choose larger fractions"
        )
    keys = "train_days, valid_days and test_days"
    if "before" not in totals:
        keys = "valid_fraction and test_fraction"
    return (
        f"cut at {totals['t_valid']} and {totals['t_test']} s; "
        f"add events at other times, or change split.{keys}"
    )


def _require_readable(name: str, table: TableCounts) -> None:
    """If no value of a column is readable, the configuration probably names the wrong column."""
    for key, unreadable in table.unreadable.items():
        if unreadable["values"] >= table.accepted + table.duplicates:
            raise DataRefused(
                f"{name}: {key} expects readable values, received none in "
                f"{unreadable['values']} records; are column and kind right? For example "
                f"{unreadable['example']}"
            )


def _require_records(name: str, table: TableCounts) -> None:
    if table.accepted:
        return
    unused, remedy = "", f"check the file at data.{name}.path"
    if table.unused and name.partition(".")[0] == "interactions":
        unused = (
            f", {table.unused} of kinds in labels.events.ignore, or impressions without a click"
        )
        remedy = f"check labels.events and data.{name}.impressions"
    elif table.unused:
        unused = f", {table.unused} with ids that the first table does not have"
    raise DataRefused(
        f"{name}: expected at least one record, received {table.read} and accepted none{unused}; "
        f"{remedy}"
    )


def _require_named_kinds(counts: Counts) -> None:
    """If no event has a kind that is positive by the configuration, the names are wrong."""
    tables = _list_event_tables(counts)
    unnamed = sum((Counter(table.unnamed_kinds) for table in tables), Counter())
    if unnamed and not sum(table.named_kinds for table in tables):
        kinds = ", ".join(f"{kind or 'no kind'} ({n:,})" for kind, n in unnamed.most_common(5))
        raise DataRefused(
            "interactions: labels.events.positive expects kinds that its column holds, received "
            f"only others: {kinds}; correct the kinds or the column"
        )


def _require_conservation(name: str, table: TableCounts) -> None:
    total = table.accepted + table.rejected + table.duplicates + table.unused
    if table.read != total:
        raise AssertionError(
            f"{name}: read {table.read} records, but {table.accepted} accepted, {table.rejected} "
            f"rejected, {table.duplicates} duplicates and {table.unused} unused make {total}: "
            "records were lost"
        )
