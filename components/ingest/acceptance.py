"""The rules that a finished ingestion must pass before anything may be built on it."""

from apache_beam.io.filesystems import FileSystems

from components.ingest import rejection
from components.ingest.counts import Counts, TableCounts
from schema import timeline
from schema.errors import DataRefused

_HINTS = {
    rejection.WRONG_FIELD_COUNT: "are delimiter and columns right?",
    rejection.BROKEN_JSON: "is format right?",
    rejection.INVALID_ENCODING: "is encoding right?",
    rejection.BAD_TIMESTAMP: "are timestamp and timestamp_unit right?",
    rejection.TIMESTAMP_OUT_OF_RANGE: "is timestamp_unit right?",
    rejection.DAMAGED_FILE: "was the file copied whole?",
}


def check(counts: Counts, max_rejected_fraction: float, rejected_dir: str) -> None:
    """Raises AssertionError when records were lost, DataRefused when the data broke a rule.

    The rules: something was read and something accepted in every table; no more than
    `max_rejected_fraction` of a table's records were rejected; every split has an event.
    """
    for name, table in counts.tables.items():
        _conserved(name, table)
        _within_limit(name, table, max_rejected_fraction, FileSystems.join(rejected_dir, name))
        if not table.accepted:
            raise DataRefused(
                f"{name}: expected at least one record, received {table.read} and accepted none; "
                f"look at the file that data.{name}.path names"
            )
    empty = [split for split in timeline.SPLITS if counts.totals.get(split) == 0]
    if empty:
        accepted = counts.tables["interactions"].accepted
        raise DataRefused(
            f"interactions: expected events in every split, received none in {', '.join(empty)} of "
            f"{accepted} events cut at {counts.totals['t_valid']} and {counts.totals['t_test']} s; "
            "give more events, spread over time, or change split.valid_fraction and test_fraction"
        )


def _conserved(name: str, table: TableCounts) -> None:
    found = table.accepted + table.rejected + table.duplicates
    if table.read != found:
        raise AssertionError(
            f"{name}: read {table.read} records, but {table.accepted} accepted, {table.rejected} "
            f"rejected and {table.duplicates} duplicates make {found}: some were lost on the way"
        )


def _within_limit(name: str, table: TableCounts, limit: float, folder: str) -> None:
    if table.rejected <= limit * table.read:
        return
    top = list(table.rejected_by_reason.items())[:3]
    reasons = ", ".join(f"{reason} {n}" for reason, n in top)
    hint = f"; {_HINTS[top[0][0]]}" if top[0][0] in _HINTS else ""
    raise DataRefused(
        f"{name}: expected at most {limit:.2%} of the records to be rejected, received "
        f"{table.rejected} of {table.read} ({table.rejected / table.read:.2%}): {reasons}; "
        f"they are kept in {folder}{hint}"
    )
