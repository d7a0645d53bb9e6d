"""Times of events -> nanoseconds since epoch, UTC; and how to fix one that is rejected."""

import re
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.coercion import coerce_numbers, coerce_texts
from components.ingest.fields.kinds import ConvertedColumn
from components.ingest.read.records import BAD_TIMESTAMP, TIMESTAMP_OUT_OF_RANGE, WRONG_KIND, Values

# 1990-01-01 and 2100-01-01. Fixed: a bound that moved with the clock would make the same data give
# another result on another day, behind the back of every cache. It still catches a wrong unit: ms
# read as s lie beyond the year 21000, s read as ms in 1970.
EARLIEST = 631_152_000
LATEST = 4_102_444_800
NANOSECONDS_PER_SECOND = 1_000_000_000
"""64 bits hold those of every moment from EARLIEST to LATEST."""
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
    """Moments in two parts, null where there is none: seconds of any range would not fit into 64
    bits as nanoseconds.
    """

    seconds: np.ndarray
    """[n] whole ones since epoch, UTC; int64, or float64 of any size."""
    nanoseconds: np.ndarray
    """[n] int64, of the second."""


def convert_timestamps(values: Values, unit: str, latest: float = LATEST) -> ConvertedColumn:
    """int64 nanoseconds; `unit` as `timestamp_unit` of the event log's source, which a column of
    Arrow timestamps has of its own. Numbers are as exact as 64-bit floats: whole ones in any unit
    exactly, seconds with a fraction to a quarter of a microsecond.

    Absent and unreadable times are `bad_timestamp`; those outside EARLIEST <= t < LATEST, or after
    `latest`, `timestamp_out_of_range`. ISO 8601 needs a zone: a time without one is no moment.
    """
    if not isinstance(values, list) and pa.types.is_timestamp(values.type):
        parted, bad = _split_arrow(values)
        wrong = np.zeros(len(values), bool)
    elif unit == "iso8601":
        parted, bad, wrong = _parse_iso8601(values)
    else:
        parted, bad, wrong = _split_numbers(values, _UNITS_PER_SECOND[unit])
    outside = ~((parted.seconds >= EARLIEST) & (parted.seconds < LATEST))
    outside |= parted.seconds + parted.nanoseconds / NANOSECONDS_PER_SECOND > latest
    seconds = np.where(outside, 0, parted.seconds).astype(np.int64)
    whole = pa.array(seconds * NANOSECONDS_PER_SECOND + parted.nanoseconds)
    faults = [
        (WRONG_KIND, wrong),
        (BAD_TIMESTAMP, bad),
        (TIMESTAMP_OUT_OF_RANGE, outside),
    ]
    return ConvertedColumn(whole, faults)


def _split_numbers(values: Values, per_second: int) -> tuple[_SplitTime, np.ndarray, np.ndarray]:
    numbers, bad, wrong = coerce_numbers(values)
    absent = ~pc.is_valid(numbers).to_numpy(zero_copy_only=False)
    known = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False)
    # A double holds every integer below 2**53, and us until the year 2255: the parts are exact.
    seconds = np.floor(known / per_second)
    inside = np.abs(seconds) < LATEST
    rest = np.where(inside, known, 0) - np.where(inside, seconds, 0) * per_second
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
    except pa.ArrowInvalid:  # a 30th of February stops the whole array: find the ones that are days
        seconds = pa.array([_parse_seconds(one) for one in whole.to_pylist()], pa.int64())
    absent = ~pc.is_valid(seconds).to_numpy(zero_copy_only=False)
    known = pc.fill_null(seconds, 0).to_numpy(zero_copy_only=False)
    return _SplitTime(known, np.where(absent, 0, _parse_fractions(text))), absent, wrong


def _parse_fractions(text: pa.Array) -> np.ndarray:
    """Nanoseconds of the first nine decimal places; 0 without a fraction."""
    found = pc.extract_regex(text, pattern=_FRACTION)
    digits = pc.utf8_slice_codeunits(pc.struct_field(found, [0]), 0, 9)
    nine = pc.utf8_rpad(digits, 9, "0")
    return pc.fill_null(pc.cast(nine, pa.int64()), 0).to_numpy(zero_copy_only=False)


def _parse_seconds(text: str | None) -> int | None:
    try:
        return pc.cast(pc.cast(pa.scalar(text, pa.string()), _SECONDS), pa.int64()).as_py()
    except pa.ArrowInvalid:
        return None


def suggest_time_fix(value: Any, unit: str) -> str:
    """One sentence about `value`, which holds no part of it; empty where nothing is known of it.

    `unit` is the `timestamp_unit` under which it was refused.
    """
    text = "" if value is None else str(value).strip()
    if _DIGITS_OF_A_DAY.fullmatch(text):
        return 'looks like the digits of a date: write ISO 8601, with timestamp_unit = "iso8601"'
    if _NUMBER_TEXT.fullmatch(text):
        return _suggest_for_number(float(text), unit)
    if _ZONED.fullmatch(text):
        return _suggest_for_zoned(text, unit)
    if _CLOCK.fullmatch(text):
        return _append_unit("a zone is missing: end it with Z where it is UTC", unit)
    if _DAY.fullmatch(text):
        return _append_unit("a time of day and a zone are missing: add T00:00:00Z", unit)
    if _NAME.fullmatch(text):
        return "is this line a header?"
    if _WORDED.fullmatch(text):
        return _append_unit("looks like a written date: write it as ISO 8601 with a zone", unit)
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
        return "write the fraction of a second behind a point"
    if not re.search(r":\d{2}:\d{2}", text[:19]):
        return "seconds are missing: write them, :00 where they are not known"
    return "is there such a day and time?"


def _append_unit(words: str, unit: str) -> str:
    return words if unit == "iso8601" else f'{words}, with timestamp_unit = "iso8601"'
