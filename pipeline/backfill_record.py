"""backfill.json: the finished days of a backfill, so that none is run twice."""

import json
import pathlib
from typing import Any

from pipeline.report import retraining_value
from pipeline.report.retraining_value import Row
from schema.errors import UsageError
from schema.storage import atomic


def read(path: pathlib.Path) -> list[Row]:
    """The finished days; none where there is no file. UsageError for a file that is no record."""
    if not path.exists():
        return []
    try:
        return json.loads(path.read_text(encoding="utf-8"))["days"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"expected the record of a backfill at {path}, received something else; "
            "move it away to begin anew"
        ) from error


def is_finished(days: list[Row], span: str, fingerprint: str) -> bool:
    """Whether the day was run with that data and configuration."""
    return any((row["span"], row["fingerprint"]) == (span, fingerprint) for row in days)


def with_day(days: list[Row], row: Row) -> list[Row]:
    """In order of spans, in the place of what was there of the same day."""
    others = [day for day in days if day["span"] != row["span"]]
    return sorted([*others, row], key=lambda day: (len(day["span"]), day["span"]))


def of(name: str, days: list[Row]) -> dict[str, Any]:
    """All that the file says."""
    return {"name": name, "days": days, "overall": retraining_value.overall(days)}


def write(record: dict[str, Any], path: pathlib.Path) -> None:
    """Whole or not at all."""
    with atomic.open_text(path) as append:
        append(json.dumps(record, indent=1, allow_nan=False) + "\n")
