"""Times of events -> nanoseconds since epoch, UTC."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.coercion import as_number, as_text
from components.ingest.fields.kinds import Converted
from components.ingest.read.records import Values
from components.ingest.rejection import BAD_TIMESTAMP, TIMESTAMP_OUT_OF_RANGE, WRONG_KIND

# 1990-01-01 and 2100-01-01. Fixed: a bound that moved with the clock would make the same data give
# another result on another day, behind the back of every cache. It still catches a wrong unit: ms
# read as s lie beyond the year 21000, s read as ms in 1970.
EARLIEST = 631_152_000
LATEST = 4_102_444_800

PER_SECOND = 1_000_000_000
"""Nanoseconds; 64 bits hold those of every moment from EARLIEST to LATEST."""

_UNITS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_ISO8601 = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?"
    r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
)
_FRACTION = r"[.](?P<digits>[0-9]+)"
_SECONDS = pa.timestamp("s", "UTC")


class _Parted(NamedTuple):
    """Moments in two parts, null where there is none: seconds of any range would not fit into 64
    bits as nanoseconds.
    """

    seconds: np.ndarray
    """[n] whole ones since epoch, UTC; int64, or float64 of any size."""
    nanoseconds: np.ndarray
    """[n] int64, of the second."""


def timestamps(values: Values, unit: str, latest: float = LATEST) -> Converted:
    """int64 nanoseconds; `unit` as `timestamp_unit` of the event log's source, which a column of
    Arrow timestamps has of its own. Numbers are as exact as 64-bit floats: whole ones in any unit
    exactly, seconds with a fraction to a quarter of a microsecond.

    Absent and unreadable times are `bad_timestamp`; those outside EARLIEST <= t < LATEST, or after
    `latest`, `timestamp_out_of_range`. ISO 8601 needs a zone: a time without one is no moment.
    """
    if not isinstance(values, list) and pa.types.is_timestamp(values.type):
        parted, bad = _of_arrow(values)
        wrong = np.zeros(len(values), bool)
    elif unit == "iso8601":
        parted, bad, wrong = _iso8601(values)
    else:
        parted, bad, wrong = _of_numbers(values, _UNITS_PER_SECOND[unit])
    outside = ~((parted.seconds >= EARLIEST) & (parted.seconds < LATEST))
    outside |= parted.seconds + parted.nanoseconds / PER_SECOND > latest
    seconds = np.where(outside, 0, parted.seconds).astype(np.int64)
    whole = pa.array(seconds * PER_SECOND + parted.nanoseconds)
    faults = [
        (WRONG_KIND, wrong),
        (BAD_TIMESTAMP, bad),
        (TIMESTAMP_OUT_OF_RANGE, outside),
    ]
    return Converted(whole, faults)


def _of_numbers(values: Values, per_second: int) -> tuple[_Parted, np.ndarray, np.ndarray]:
    numbers, bad, wrong = as_number(values)
    absent = ~pc.is_valid(numbers).to_numpy(zero_copy_only=False)
    known = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False)
    # A double holds every integer below 2**53, and us until the year 2255: the parts are exact.
    seconds = np.floor(known / per_second)
    inside = np.abs(seconds) < LATEST
    rest = np.where(inside, known, 0) - np.where(inside, seconds, 0) * per_second
    nanoseconds = np.rint(rest * (PER_SECOND // per_second)).astype(np.int64)
    return _Parted(seconds, nanoseconds), bad | absent, wrong


def _of_arrow(values: pa.Array) -> tuple[_Parted, np.ndarray]:
    per_second = _UNITS_PER_SECOND[values.type.unit]
    ticks = pc.fill_null(pc.cast(values, pa.int64()), 0).to_numpy(zero_copy_only=False)
    seconds, rest = np.divmod(ticks, per_second)
    absent = ~pc.is_valid(values).to_numpy(zero_copy_only=False)
    return _Parted(seconds, rest * (PER_SECOND // per_second)), absent


def _iso8601(values: Values) -> tuple[_Parted, np.ndarray, np.ndarray]:
    text, wrong = as_text(values)
    fits = pc.match_substring_regex(text, pattern=_ISO8601)
    text = pc.if_else(fits, text, pa.scalar(None, pa.large_string()))
    whole = pc.replace_substring_regex(text, pattern=_FRACTION, replacement="")
    try:
        seconds = pc.cast(pc.cast(whole, _SECONDS), pa.int64())
    except pa.ArrowInvalid:  # a 30th of February stops the whole array: find the ones that are days
        seconds = pa.array([_seconds(one) for one in whole.to_pylist()], pa.int64())
    absent = ~pc.is_valid(seconds).to_numpy(zero_copy_only=False)
    known = pc.fill_null(seconds, 0).to_numpy(zero_copy_only=False)
    return _Parted(known, np.where(absent, 0, _fractions(text))), absent, wrong


def _fractions(text: pa.Array) -> np.ndarray:
    """Nanoseconds that the digits behind the point say, 0 without any; further digits are cut."""
    found = pc.extract_regex(text, pattern=_FRACTION)
    digits = pc.utf8_slice_codeunits(pc.struct_field(found, [0]), 0, 9)
    nine = pc.utf8_rpad(digits, 9, "0")
    return pc.fill_null(pc.cast(nine, pa.int64()), 0).to_numpy(zero_copy_only=False)


def _seconds(text: str | None) -> int | None:
    try:
        return pc.cast(pc.cast(pa.scalar(text, pa.string()), _SECONDS), pa.int64()).as_py()
    except pa.ArrowInvalid:
        return None
