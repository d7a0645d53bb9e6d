"""Times of events -> whole seconds since epoch, UTC."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.as_text import as_number, as_text
from components.ingest.kinds import Converted
from components.ingest.records import Values
from components.ingest.rejection import BAD_TIMESTAMP, TIMESTAMP_OUT_OF_RANGE, WRONG_KIND

# 1990-01-01 and 2100-01-01. Fixed: a bound that moved with the clock would make the same data give
# another result on another day, behind the back of every cache. It still catches a wrong unit: ms
# read as s lie beyond the year 21000, s read as ms in 1970.
EARLIEST = 631_152_000
LATEST = 4_102_444_800

_UNITS_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6}
_ISO8601 = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?"
    r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
)
_SECONDS = pa.timestamp("s", "UTC")


def timestamps(values: Values, unit: str) -> Converted:
    """int64 seconds, fractions dropped; `unit` as `timestamp_unit` of the event log's source.

    Absent and unreadable times are `bad_timestamp`; those outside EARLIEST <= t < LATEST
    `timestamp_out_of_range`. ISO 8601 needs a zone: a time without one is no moment.
    """
    if unit == "iso8601":
        seconds, bad, wrong = _iso8601(values)
    else:
        numbers, bad, wrong = as_number(values)
        # A double holds every integer below 2**53, and us until the year 2255: division is safe.
        seconds = pc.floor(pc.divide(numbers, _UNITS_PER_SECOND[unit]))
    absent = ~pc.is_valid(seconds).to_numpy(zero_copy_only=False)
    known = pc.fill_null(seconds, 0).to_numpy(zero_copy_only=False)
    outside = ~((known >= EARLIEST) & (known < LATEST))
    whole = pa.array(np.where(outside, 0, known).astype(np.int64))
    faults = [
        (WRONG_KIND, wrong),
        (BAD_TIMESTAMP, bad | absent),
        (TIMESTAMP_OUT_OF_RANGE, outside),
    ]
    return Converted(whole, faults)


def _iso8601(values: Values) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    text, wrong = as_text(values)
    fits = pc.match_substring_regex(text, pattern=_ISO8601)
    text = pc.if_else(fits, text, pa.scalar(None, pa.large_string()))
    text = pc.replace_substring_regex(text, pattern="[.][0-9]+", replacement="")
    try:
        seconds = pc.cast(pc.cast(text, _SECONDS), pa.int64())
    except pa.ArrowInvalid:  # a 30th of February stops the whole array: find the ones that are days
        seconds = pa.array([_seconds(one) for one in text.to_pylist()], pa.int64())
    return seconds, ~pc.is_valid(seconds).to_numpy(zero_copy_only=False), wrong


def _seconds(text: str | None) -> int | None:
    try:
        return pc.cast(pc.cast(pa.scalar(text, pa.string()), _SECONDS), pa.int64()).as_py()
    except pa.ArrowInvalid:
        return None
