"""Times of events -> nanoseconds since epoch, UTC; and how to fix one that is rejected."""

import re
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.coercion import coerce_numbers, coerce_texts
from components.ingest.fields.kinds import ConvertedColumn
from components.ingest.read.records import BAD_TIMESTAMP, TIMESTAMP_OUT_OF_RANGE, WRONG_KIND, Values

# 1990-01-01 and 2100-01-01. The bounds are constant: if they depended on the clock, the result for
# the same data would change from day to day, and no cache would notice. They detect a wrong unit:
# ms read as s are after the year 21000, and s read as ms are in 1970.
EARLIEST = 631_152_000
LATEST = 4_102_444_800
NANOSECONDS_PER_SECOND = 1_000_000_000
"""Nanoseconds of every time from EARLIEST to LATEST fit into 64 bits."""
_UNITS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_ISO8601 = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?"
    r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
)
_FRACTION = r"[.](?P<digits>[0-9]+)"
_SECONDS = pa.timestamp("s", "UTC")
ACCEPTED_TIMES = {
    "s": "seconds since 1970, UTC, from 1990 to 2099",
    "ms": "milliseconds since 1970, UTC, from 1990 to 2099",
    "us": "microseconds since 1970, UTC, from 1990 to 2099",
    "iso8601": "ISO 8601 with a zone, as in 2024-01-31T18:30:00Z, from 1990 to 2099",
}
_TICKS_PER_SECOND = {
    "seconds": 1,
    "milliseconds": 10**3,
    "microseconds": 10**6,
    "nanoseconds": 10**9,
}
_UNIT_KEYS = {"seconds": "s", "milliseconds": "ms", "microseconds": "us"}
_NUMBER_TEXT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DIGITS_OF_A_DAY = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(\d{6})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CLOCK = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?")
_ZONED = re.compile(_CLOCK.pattern + r" ?(Z|[+-]\d{2}(:?\d{2})?)")
_NAME = re.compile(r"[a-z_ ]*(time|date|stamp|created|when)[a-z_ ]*|ts|at", re.IGNORECASE)
_WORDED = re.compile(r".*\d.*[/: ].*")


class _SplitTime(NamedTuple):
    """Times in two parts, because nanoseconds of an arbitrary time would not fit into 64 bits."""

    seconds: np.ndarray
    """[n] whole seconds since epoch, UTC; int64, or float64 of any size."""
    nanoseconds: np.ndarray
    """[n] int64, the fraction of the second."""


def convert_timestamps(values: Values, unit: str, latest: float = LATEST) -> ConvertedColumn:
    """Converts times to int64 nanoseconds since epoch, UTC.

    `unit` is the source's `timestamp_unit`; Arrow timestamps have their own unit. Whole numbers of
    any unit are exact, and seconds with a fraction have the precision of 64-bit floats, a quarter
    of a microsecond.

    Absent and unreadable times are `bad_timestamp`; those outside EARLIEST <= t < LATEST, or after
    `latest`, `timestamp_out_of_range`. ISO 8601 without a time zone is unreadable.
    """
    if not isinstance(values, list) and pa.types.is_timestamp(values.type):
        split, bad = _split_arrow(values)
        wrong = np.zeros(len(values), bool)
    elif unit == "iso8601":
        split, bad, wrong = _parse_iso8601(values)
    else:
        split, bad, wrong = _split_numbers(values, _UNITS_PER_SECOND[unit])
    outside = ~((split.seconds >= EARLIEST) & (split.seconds < LATEST))
    outside |= split.seconds + split.nanoseconds / NANOSECONDS_PER_SECOND > latest
    seconds = np.where(outside, 0, split.seconds).astype(np.int64)
    whole = pa.array(seconds * NANOSECONDS_PER_SECOND + split.nanoseconds)
    faults = [
        (WRONG_KIND, wrong),
        (BAD_TIMESTAMP, bad),
        (TIMESTAMP_OUT_OF_RANGE, outside),
    ]
    return ConvertedColumn(whole, faults)


def _split_numbers(values: Values, per_second: int) -> tuple[_SplitTime, np.ndarray, np.ndarray]:
    numbers, bad, wrong = coerce_numbers(values)
    absent = ~pc.is_valid(numbers).to_numpy(zero_copy_only=False)
    filled = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False)
    # A double represents every integer below 2**53, which are us until 2255: the parts are exact.
    seconds = np.floor(filled / per_second)
    inside = np.abs(seconds) < LATEST
    rest = np.where(inside, filled, 0) - np.where(inside, seconds, 0) * per_second
    nanoseconds = np.rint(rest * (NANOSECONDS_PER_SECOND // per_second)).astype(np.int64)
    return _SplitTime(seconds, nanoseconds), bad | absent, wrong


def _split_arrow(values: pa.Array) -> tuple[_SplitTime, np.ndarray]:
    per_second = _UNITS_PER_SECOND[values.type.unit]
    ticks = pc.fill_null(pc.cast(values, pa.int64()), 0).to_numpy(zero_copy_only=False)
    seconds, rest = np.divmod(ticks, per_second)
    absent = ~pc.is_valid(values).to_numpy(zero_copy_only=False)
    return _SplitTime(seconds, rest * (NANOSECONDS_PER_SECOND // per_second)), absent


def _parse_iso8601(values: Values) -> tuple[_SplitTime, np.ndarray, np.ndarray]:
    text, wrong = coerce_texts(values)
    fits = pc.match_substring_regex(text, pattern=_ISO8601)
    text = pc.if_else(fits, text, pa.scalar(None, pa.large_string()))
    whole = pc.replace_substring_regex(text, pattern=_FRACTION, replacement="")
    try:
        seconds = pc.cast(pc.cast(whole, _SECONDS), pa.int64())
    except pa.ArrowInvalid:  # one invalid date fails the whole array
        seconds = pa.array([_parse_seconds(text) for text in whole.to_pylist()], pa.int64())
    absent = ~pc.is_valid(seconds).to_numpy(zero_copy_only=False)
    filled = pc.fill_null(seconds, 0).to_numpy(zero_copy_only=False)
    return _SplitTime(filled, np.where(absent, 0, _parse_fractions(text))), absent, wrong


def _parse_fractions(text: pa.Array) -> np.ndarray:
    """Nanoseconds of the first nine decimal places; 0 without a fraction."""
    matches = pc.extract_regex(text, pattern=_FRACTION)
    digits = pc.utf8_slice_codeunits(pc.struct_field(matches, [0]), 0, 9)
    nine = pc.utf8_rpad(digits, 9, "0")
    return pc.fill_null(pc.cast(nine, pa.int64()), 0).to_numpy(zero_copy_only=False)


def _parse_seconds(text: str | None) -> int | None:
    try:
        return pc.cast(pc.cast(pa.scalar(text, pa.string()), _SECONDS), pa.int64()).as_py()
    except pa.ArrowInvalid:
        return None


def suggest_time_fix(value: Any, unit: str) -> str:
    """Returns a clause on how to fix `value`, without any part of it; "" if there is no suggestion.

    `unit` is the `timestamp_unit` with which the value was rejected.
    """
    text = "" if value is None else str(value).strip()
    if _DIGITS_OF_A_DAY.fullmatch(text):
        return 'looks like the digits of a date: write ISO 8601, with timestamp_unit = "iso8601"'
    if _NUMBER_TEXT.fullmatch(text):
        return _suggest_for_number(float(text), unit)
    if _ZONED.fullmatch(text):
        return _suggest_for_zoned(text, unit)
    if _CLOCK.fullmatch(text):
        return _append_unit("the time zone is missing: append Z if it is UTC", unit)
    if _DAY.fullmatch(text):
        return _append_unit(
            "the time of day and the time zone are missing: append T00:00:00Z", unit
        )
    if _NAME.fullmatch(text):
        return "is this line a header?"
    if _WORDED.fullmatch(text):
        return _append_unit("looks like a date in words: write it as ISO 8601 with a zone", unit)
    return ""


def _suggest_for_number(number: float, unit: str) -> str:
    for name, per_second in _TICKS_PER_SECOND.items():
        if _UNIT_KEYS.get(name) != unit and EARLIEST <= number / per_second < LATEST:
            if name in _UNIT_KEYS:
                return f'looks like {name}: timestamp_unit = "{_UNIT_KEYS[name]}"'
            return f'looks like {name}: divide by 1000, with timestamp_unit = "us"'
    return ""


def _suggest_for_zoned(text: str, unit: str) -> str:
    if unit != "iso8601":
        return 'looks like ISO 8601: timestamp_unit = "iso8601"'
    if "," in text:
        return "write the fraction of a second after a decimal point"
    if not re.search(r":\d{2}:\d{2}", text[:19]):
        return "seconds are missing: add them, :00 if they are unknown"
    return "do this date and time exist?"


def _append_unit(hint: str, unit: str) -> str:
    return hint if unit == "iso8601" else f'{hint}, with timestamp_unit = "iso8601"'
