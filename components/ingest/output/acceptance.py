"""The rules that a finished ingestion must pass before anything may be built on it."""

from collections.abc import Iterable
from typing import NamedTuple

from apache_beam.io.filesystems import FileSystems

from components.ingest.output import dead_letters
from components.ingest.output.counts import Counts, TableCounts
from components.ingest.output.id_overlap import BLANKS, IdOverlap, find_likely_change
from components.ingest.read.records import (
    BAD_TIMESTAMP,
    BROKEN_JSON,
    BROKEN_QUOTING,
    DAMAGED_FILE,
    DUPLICATE_ID,
    HEADER_LINE,
    INVALID_ENCODING,
    REPEATED_KEY,
    REPEATED_USER,
    TIMESTAMP_OUT_OF_RANGE,
    TOO_MANY_EVENTS,
    UNKNOWN_ITEM,
    WRONG_FIELD_COUNT,
)
from schema import timeline
from schema.errors import DataRefused
from schema.sources import Data

_HINTS = {
    WRONG_FIELD_COUNT: "are delimiter and columns right?",
    BROKEN_QUOTING: 'is quoting = "none" right?',
    HEADER_LINE: "leave columns out where each file has a header of its own",
    BROKEN_JSON: "is format right?",
    REPEATED_KEY: "which of the two values is meant?",
    INVALID_ENCODING: "is encoding right?",
    BAD_TIMESTAMP: "are timestamp and timestamp_unit right?",
    TIMESTAMP_OUT_OF_RANGE: "is timestamp_unit right?",
    UNKNOWN_ITEM: "is the catalogue whole, or should unknown_item be keep?",
    TOO_MANY_EVENTS: "is max_events_per_user_and_day too small?",
}


def check(counts: Counts, data: Data, rejected_dir: str) -> None:
    """Raises AssertionError when records were lost, DataRefused when the data broke a rule.

    The rules: enough of the log's ids meet those of the other tables; something was read and
    something accepted in every table; no file is damaged; no record was refused for a reason that
    the configuration says shall stop the run; no more than `data.max_rejected_fraction` of a
    table's records were rejected; every split has an event.
    """
    for name, table in counts.tables.items():
        _require_conservation(name, table)
    _require_overlap(counts, data)
    for name, table in counts.tables.items():
        folder = FileSystems.join(rejected_dir, name)
        _require_absence(_list_fatal_rules(data), name, table, folder)
        _require_readable(name, table)
        _require_limit(name, table, data.max_rejected_fraction, folder)
        if not table.accepted:
            raise DataRefused(
                f"{name}: expected at least one record, received {table.read} and accepted none; "
                f"look at the file that data.{name}.path names"
            )
    empty = [split for split in timeline.SPLITS if counts.totals.get(split) == 0]
    if empty:
        raise DataRefused(
            f"interactions: expected events in every split, received none in {', '.join(empty)} of "
            f"{counts.tables['interactions'].accepted} events {_describe_split(counts.totals)}"
        )


def _require_overlap(counts: Counts, data: Data) -> None:
    rules = {
        "items": ("events to be of items in the catalogue", "min_known_items"),
        "users": ("users of the log to be in the user table", "min_known_users"),
    }
    for name, found in counts.meetings.items():
        expected, key = rules[name]
        least = getattr(data, key)
        if found.share < least:
            raise DataRefused(
                f"{name}: expected at least {least:.2%} of the {expected}, as data.{key} says, "
                f"received {found.met:,} of {found.total:,} ({found.share:.2%}); the log has "
                f"{_format_ids(found.alone)}, the table {_format_ids(found.others)}; "
                f"{_suggest_remedy(found, least)}, or lower data.{key}"
            )


def _format_ids(ids: Iterable[str]) -> str:
    return ", ".join(map(repr, ids)) or "no other id"


def _suggest_remedy(found: IdOverlap, least: float) -> str:
    reason = find_likely_change(found, least)
    if reason is None:
        return "is it the right column of both? write the same ids in both tables"
    share = found.by_change[reason] / found.total
    key = " or set strip_fields" if reason == BLANKS else ""
    return f"without {reason} {share:.2%} would meet: write ids alike in both tables{key}"


class _FatalRule(NamedTuple):
    """Why one record with the reason is too many, and what to do."""

    why: str
    remedy: str


def _list_fatal_rules(data: Data) -> dict[str, _FatalRule]:
    fatal = {
        DAMAGED_FILE: _FatalRule(
            "since nothing says how many records are lost", "copy the file again, or remove it"
        ),
        REPEATED_USER: _build_declared_rule('data.interactions.format = "sequences"'),
    }
    if data.interactions.unknown_item == "fail":
        fatal[UNKNOWN_ITEM] = _build_declared_rule("data.interactions.unknown_item")
    if data.items.duplicates == "fail":
        fatal[DUPLICATE_ID] = _build_declared_rule("data.items.duplicates")
    return fatal


def _build_declared_rule(key: str) -> _FatalRule:
    return _FatalRule(f"as {key} says", "correct the data or change the key")


def _describe_split(totals: dict[str, int]) -> str:
    if "t_valid" not in totals:
        return "divided by each user's last; give users of three events or more"
    keys = "train_days, valid_days and test_days"
    if "before" not in totals:
        keys = "valid_fraction and test_fraction"
    return (
        f"cut at {totals['t_valid']} and {totals['t_test']} s; "
        f"give more events, spread over time, or change split.{keys}"
    )


def _require_absence(
    fatal: dict[str, _FatalRule], name: str, table: TableCounts, folder: str
) -> None:
    for reason, rule in fatal.items():
        found = table.rejected_by_reason.get(reason, 0)
        if found:
            raise DataRefused(
                f"{name}: expected no record with {reason}, {rule.why}, received {found} of "
                f"{table.read}; they are kept in {folder}: {rule.remedy}"
                f"{_format_example(folder, reason)}"
            )


def _format_example(folder: str, reason: str) -> str:
    found = dead_letters.find_example(folder, reason)
    return f"; for example {found}" if found else ""


def _require_readable(name: str, table: TableCounts) -> None:
    """A column of which no value can be read is another column than was meant."""
    for key, found in table.unreadable.items():
        if found["values"] >= table.accepted + table.duplicates:
            raise DataRefused(
                f"{name}: {key} expects values that can be read, received none in "
                f"{found['values']} records; is it the right column and kind? For example "
                f"{found['example']}"
            )


def _require_conservation(name: str, table: TableCounts) -> None:
    found = table.accepted + table.rejected + table.duplicates
    if table.read != found:
        raise AssertionError(
            f"{name}: read {table.read} records, but {table.accepted} accepted, {table.rejected} "
            f"rejected and {table.duplicates} duplicates make {found}: some were lost on the way"
        )


def _require_limit(name: str, table: TableCounts, limit: float, folder: str) -> None:
    if table.rejected <= limit * table.read:
        return
    top = list(table.rejected_by_reason.items())[:3]
    reasons = ", ".join(f"{reason} {n}" for reason, n in top)
    hint = f"; {_HINTS[top[0][0]]}" if top[0][0] in _HINTS else ""
    raise DataRefused(
        f"{name}: expected at most {limit:.2%} of the records to be rejected, received "
        f"{table.rejected} of {table.read} ({table.rejected / table.read:.2%}): {reasons}; "
        f"they are kept in {folder}{hint}{_format_example(folder, top[0][0])}"
    )
