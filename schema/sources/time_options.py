"""The column of an event's time, and how times are written."""

from typing import Literal

from schema.base import StrictModel


class TimeOptions(StrictModel):
    """Keys of the event's time."""

    timestamp: str = "timestamp"
    """Column of the event's time. Events of a user are sorted by time, with a resolution of up to
    one nanosecond (exact for whole numbers in any unit, ISO 8601 and Parquet; a quarter of a
    microsecond for fractional seconds); events of the same time keep the order of the files, by
    path, and of the lines. Of events with the same user, item and time the last line is kept, the
    others are duplicates. Timelines, splits and models use whole seconds."""
    timestamp_unit: Literal["s", "ms", "us", "iso8601"] = "s"
    """Unit of the time since epoch, UTC; or ISO 8601 text with a time zone."""
