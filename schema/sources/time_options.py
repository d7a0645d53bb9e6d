"""The column of an event's time, and how times are written."""

from pydantic import AwareDatetime, model_validator

from schema.base import StrictModel
from schema.time_notation import TimePattern, TimeUnit, TimeZone


class TimeOptions(StrictModel):
    """Keys of the event's time."""

    timestamp: str = "timestamp"
    """Column of the event's time, or `""` if there is none, as in plain pairs of user and item.
    Events of a user are sorted by time, with a resolution of up to one nanosecond (exact for whole
    numbers in any unit, ISO 8601 and Parquet; a quarter of a microsecond for fractional seconds);
    events of the same time keep the order of the files, by path, and of the lines. Of events with
    the same user, item and time the last line is kept, the others are duplicates. Timelines, splits
    and models use whole seconds."""
    timestamp_unit: TimeUnit = "s"
    """Unit of the time since epoch, UTC (`d`: days); or `iso8601`, text in any form of ISO 8601:
    `2024-01-31T18:30:00Z`, `2024-01-31 18:30:00.5 UTC`, `2024-01-31 18:30 +01:00`, `2024-01-31`,
    `20240131T183000Z`, `2024-W05-3`. A number in scientific notation whose digits do not determine
    the second is rejected. Columns of times in `parquet` need no unit."""
    timestamp_format: TimePattern | None = None
    """How times are written, if they are neither numbers nor ISO 8601: a pattern of Python's
    strptime, such as `%d.%m.%Y %H:%M`, or `%a %b %d %H:%M:%S %z %Y` (Twitter); or `rfc2822` (`Wed,
    31 Jan 2024 18:30:00 +0100`)."""
    timezone: TimeZone | None = None
    """Time zone of times that state none, such as `Europe/Berlin`. If absent, they are UTC, and the
    final output of the run shows how many there are. Of a local time that occurs twice when clocks
    are set back the first is used."""

    timestamp_origin: AwareDatetime | None = None
    """Moment from which numeric times count, such as `2020-01-01T00:00:00Z`, for logs that hide the
    real one, often the first event; 1970 if absent."""

    @model_validator(mode="after")
    def _require_numbers(self) -> "TimeOptions":
        is_number = self.timestamp_unit != "iso8601" and self.timestamp_format is None
        if self.timestamp_origin is not None and not is_number:
            raise ValueError(
                "timestamp_origin goes with numeric times, received timestamp_unit = "
                f"{self.timestamp_unit!r}, timestamp_format = {self.timestamp_format!r}; remove it"
            )
        return self

    @model_validator(mode="after")
    def _require_one_notation(self) -> "TimeOptions":
        if self.timestamp_format is not None and self.timestamp_unit != "s":
            raise ValueError(
                "expected timestamp_unit or timestamp_format, received both; remove one of them"
            )
        return self
