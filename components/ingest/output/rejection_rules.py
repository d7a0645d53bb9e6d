"""The rules about the rejected records of a table."""

from typing import NamedTuple

from components.ingest.output import dead_letters
from components.ingest.output.counts import TableCounts
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
from schema.errors import DataRefused
from schema.sources import Data

_HINTS = {
    WRONG_FIELD_COUNT: "are delimiter and columns right?",
    BROKEN_QUOTING: 'is quote right? Text without quoting has quote = ""',
    HEADER_LINE: "remove columns if each file has its own header",
    BROKEN_JSON: "is format right?",
    REPEATED_KEY: "remove one of the two values",
    INVALID_ENCODING: "is encoding right?",
    BAD_TIMESTAMP: "are timestamp and timestamp_unit right?",
    TIMESTAMP_OUT_OF_RANGE: "is timestamp_unit right?",
    UNKNOWN_ITEM: "is the catalogue complete, or should unknown_item be keep?",
    TOO_MANY_EVENTS: "is max_events_per_user_and_day too small?",
}


def require_absence(data: Data, name: str, table: TableCounts, folder: str) -> None:
    """Raises DataRefused if a record was rejected for a reason of which no record is allowed.

    Args:
        data: Description of the tables.
        name: Name of the table.
        table: Its counts.
        folder: Folder or URL of its dead letters.
    """
    for reason, rule in _list_fatal_rules(data).items():
        rejected = table.rejected_by_reason.get(reason, 0)
        if rejected:
            raise DataRefused(
                f"{name}: expected no record with {reason}, {rule.why}, received {rejected} of "
                f"{table.read}; they are kept in {folder}: {rule.remedy}"
                f"{_format_example(folder, reason)}"
            )


def require_limit(name: str, table: TableCounts, limit: float, folder: str) -> None:
    """Raises DataRefused if too many records were rejected, and names the main reasons.

    Args:
        name: Name of the table.
        table: Its counts.
        limit: Largest share of rejected records, from 0 to 1.
        folder: Folder or URL of its dead letters.
    """
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


class _FatalRule(NamedTuple):
    """Why a single record with this reason stops the run, and what to do."""

    why: str
    remedy: str


def _list_fatal_rules(data: Data) -> dict[str, _FatalRule]:
    fatal = {
        DAMAGED_FILE: _FatalRule(
            "since the number of lost records is unknown", "copy the file again, or remove it"
        ),
        REPEATED_USER: _build_declared_rule('data.interactions.format = "sequences"'),
    }
    if data.interactions.unknown_item == "fail":
        fatal[UNKNOWN_ITEM] = _build_declared_rule("data.interactions.unknown_item")
    if data.items is not None and data.items.duplicates == "fail":
        fatal[DUPLICATE_ID] = _build_declared_rule("data.items.duplicates")
    return fatal


def _build_declared_rule(key: str) -> _FatalRule:
    return _FatalRule(f"because of {key}", "correct the data or change the key")


def _format_example(folder: str, reason: str) -> str:
    example = dead_letters.find_example(folder, reason)
    return f"; for example {example}" if example else ""
