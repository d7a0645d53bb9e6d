"""Columns of times in any notation -> nanoseconds since epoch, UTC."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.coercion import coerce_numbers, null_empty
from components.ingest.fields.converted import ConvertedColumn
from components.ingest.fields.split_time import (
    NANOSECONDS_PER_SECOND,
    UNITS_PER_SECOND,
    ParsedTimes,
    SplitTime,
    apply_timezone,
    split_arrow_times,
)
from components.ingest.fields.time_text import parse_iso8601, parse_pattern
from components.ingest.read.records import BAD_TIMESTAMP, TIMESTAMP_OUT_OF_RANGE, WRONG_KIND, Values
from schema.time_notation import TimeUnit
from schema.timeline import NO_TIME

# 1990-01-01 and 2100-01-01. Fixed: with a bound that moved with the clock, the same data would give
# another result on another day, and caches would not notice. They still detect a wrong unit: ms
# read as s are after the year 21000, s read as ms in 1970.
EARLIEST = 631_152_000
LATEST = 4_102_444_800
_SECONDS_PER_DAY = 86_400
_INT64_SECONDS = 2.0**62
_SCIENTIFIC = (
    r"^\s*[+-]?(?P<whole>[0-9]*)[.]?(?P<digits>[0-9]*)[eE][+]?(?P<exponent>[0-9]{1,3})\s*$"
)


def mark_without_time(values: Values) -> ConvertedColumn:
    """int64: NO_TIME in nanoseconds for each record, regardless of the values."""
    moment = NO_TIME * NANOSECONDS_PER_SECOND
    return ConvertedColumn(pa.array(np.full(len(values), moment, np.int64)), [])


class TimeNotation(NamedTuple):
    """How a column writes times."""

    unit: TimeUnit = "s"
    pattern: str | None = None
    """Pattern of strptime, or `rfc2822`; replaces the unit."""
    timezone: str | None = None
    """Zone of times that state none; UTC if None."""
    origin: int = 0
    """Seconds since 1970 from which numbers count."""


def parse_times(values: Values, notation: TimeNotation) -> ParsedTimes:
    """Reads a column of times. A column of Arrow timestamps or dates has its own unit.

    Numbers are as exact as 64-bit floats (whole ones in any unit exactly, seconds with a fraction
    to a quarter of a microsecond) and whole nanoseconds are exact. A number in scientific notation
    whose digits do not determine the second is `bad`.
    """
    if not isinstance(values, list) and pa.types.is_temporal(values.type):
        parsed = split_arrow_times(values)
    elif notation.pattern is not None:
        parsed = parse_pattern(values, notation.pattern)
    elif notation.unit == "iso8601":
        parsed = parse_iso8601(values)
    else:
        parsed = _parse_numbers(values, notation.unit)
        times = parsed.times._replace(seconds=parsed.times.seconds + notation.origin)
        parsed = parsed._replace(times=times)
    if notation.timezone is None:
        return parsed
    times = apply_timezone(parsed.times, parsed.local, notation.timezone)
    return parsed._replace(times=times, local=np.zeros(len(parsed.local), bool))


def convert_timestamps(
    values: Values, notation: TimeNotation, latest: float = LATEST
) -> ConvertedColumn:
    """int64 nanoseconds since epoch, UTC; `local` counts the times that were assumed to be UTC.

    Absent and unreadable times are `bad_timestamp`; those outside EARLIEST <= t < LATEST, or after
    `latest`, `timestamp_out_of_range`.
    """
    (times, bad, wrong, local) = parse_times(values, notation)
    outside = ~((times.seconds >= EARLIEST) & (times.seconds < LATEST))
    outside |= times.seconds + times.nanoseconds / NANOSECONDS_PER_SECOND > latest
    seconds = np.where(outside, 0, times.seconds).astype(np.int64)
    whole = pa.array(seconds * NANOSECONDS_PER_SECOND + times.nanoseconds)
    faults = [
        (WRONG_KIND, wrong),
        (BAD_TIMESTAMP, bad),
        (TIMESTAMP_OUT_OF_RANGE, outside),
    ]
    return ConvertedColumn(whole, faults, local=int((local & ~bad & ~outside).sum()))


def convert_seconds(values: Values, notation: TimeNotation) -> ConvertedColumn:
    """int64 seconds since epoch, UTC, of a feature; null where absent, and of any year."""
    times, bad, wrong, local = parse_times(values, notation)
    absent = ~_find_present(values)
    bad = (bad & ~absent) | (np.abs(times.seconds) > _INT64_SECONDS)
    seconds = pa.array(np.where(bad, 0, times.seconds).astype(np.int64), mask=absent | bad)
    faults = [(WRONG_KIND, wrong), (BAD_TIMESTAMP, bad & ~wrong)]
    return ConvertedColumn(seconds, faults, local=int((local & ~bad & ~absent).sum()))


def _find_present(values: Values) -> np.ndarray:
    """[n] bool: neither null nor empty nor blank text."""
    if not isinstance(values, list) and not pa.types.is_large_string(values.type):
        return pc.is_valid(values).to_numpy(zero_copy_only=False)
    if isinstance(values, list):
        blank = [
            value is None or (isinstance(value, str) and not value.strip()) for value in values
        ]
        return ~np.array(blank, bool)
    return _to_mask(pc.not_equal(pc.utf8_trim_whitespace(values), ""))


def _parse_numbers(values: Values, unit: str) -> ParsedTimes:
    if unit == "ns":
        exact = _read_integers(values)
        if exact is not None:
            return split_arrow_times(pc.cast(exact, pa.timestamp("ns", "UTC")))
    numbers, bad, wrong = coerce_numbers(values)
    absent = ~pc.is_valid(numbers).to_numpy(zero_copy_only=False)
    filled = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False)
    if unit == "d":
        filled = filled * _SECONDS_PER_DAY
    per_second = UNITS_PER_SECOND.get(unit, 1)
    # A double holds every integer below 2**53, and us until the year 2255: the parts are exact.
    seconds = np.floor(filled / per_second)
    inside = np.abs(seconds) < LATEST
    rest = np.where(inside, filled, 0) - np.where(inside, seconds, 0) * per_second
    nanoseconds = np.rint(rest * (NANOSECONDS_PER_SECOND // per_second)).astype(np.int64)
    bad = bad | absent | _find_lost_digits(values, per_second)
    nowhere = np.zeros(len(values), bool)
    return ParsedTimes(SplitTime(seconds, nanoseconds), bad, wrong, nowhere)


def _read_integers(values: Values) -> pa.Array | None:
    """int64, null where absent; None if a value is not an integer of 64 bits."""
    try:
        # raises ArrowInvalid if numbers and texts are mixed
        column = pa.array(values) if isinstance(values, list) else values
        if pa.types.is_integer(column.type):
            return pc.cast(column, pa.int64())
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            return pc.cast(null_empty(pc.cast(column, pa.large_string())), pa.int64())
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return None
    return None


def _find_lost_digits(values: Values, per_second: int) -> np.ndarray:
    """[n] bool: text in scientific notation with fewer digits than the second needs, such as
    `1.70671E+09`, which spreadsheets write.
    """
    nowhere = np.zeros(len(values), bool)
    if isinstance(values, list):
        if str not in set(map(type, values)):
            return nowhere
        texts = [value if isinstance(value, str) else None for value in values]
        return _find_lost_digits(pa.array(texts, pa.large_string()), per_second)
    if not pa.types.is_large_string(values.type):
        return nowhere
    candidates = pc.fill_null(pc.match_substring_regex(values, pattern="[eE]"), False)
    if not pc.any(candidates, min_count=0).as_py():
        return nowhere
    parts = pc.extract_regex(values, pattern=_SCIENTIFIC)
    fraction = pc.utf8_length(pc.struct_field(parts, [1]))
    exponent = pc.cast(pc.struct_field(parts, [2]), pa.int64())
    zeros = pc.subtract(exponent, fraction)
    return _to_mask(pc.greater(zeros, len(str(per_second)) - 1))


def _to_mask(flags: pa.Array) -> np.ndarray:
    return pc.fill_null(flags, False).to_numpy(zero_copy_only=False)
