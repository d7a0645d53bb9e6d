"""Moments in two parts, seconds and nanoseconds, and the zone of local times."""

import datetime
import zoneinfo
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

NANOSECONDS_PER_SECOND = 1_000_000_000
"""64 bits hold those of every moment from 1990 to 2099."""
UNITS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_QUARTER_HOUR = 900
_EPOCH = datetime.datetime(1970, 1, 1)
_SUPPORTED = (
    (datetime.datetime(1, 1, 2) - _EPOCH).total_seconds(),
    (datetime.datetime(9999, 12, 30) - _EPOCH).total_seconds(),
)


class SplitTime(NamedTuple):
    """Moments in two parts: the nanoseconds of an arbitrary number of seconds would not fit into 64
    bits.
    """

    seconds: np.ndarray
    """[n] whole seconds since epoch, UTC; int64, or float64 of any size."""
    nanoseconds: np.ndarray
    """[n] int64 nanoseconds within the second."""


class ParsedTimes(NamedTuple):
    """Result of reading a column of n times."""

    times: SplitTime
    """Arbitrary where `bad` or `wrong`."""
    bad: np.ndarray
    """[n] bool: absent or unreadable."""
    wrong: np.ndarray
    """[n] bool: not a single value."""
    local: np.ndarray
    """[n] bool: without a zone; `times` treats them as UTC."""


def apply_timezone(times: SplitTime, local: np.ndarray, timezone: str) -> SplitTime:
    """Converts the `local` [n] of `times`, which were read as UTC, from `timezone`.

    A local time that occurs twice is the first one; one that is skipped when clocks are set forward
    counts from the offset before.
    """
    local = local & (times.seconds > _SUPPORTED[0]) & (times.seconds < _SUPPORTED[1])
    if timezone == "UTC" or not local.any():
        return times
    zone = zoneinfo.ZoneInfo(timezone)
    # Zones change their offset at multiples of a quarter of an hour.
    quarters, index = np.unique(times.seconds[local] // _QUARTER_HOUR, return_inverse=True)
    offsets = np.array([_find_offset(int(q) * _QUARTER_HOUR, zone) for q in quarters])
    seconds = times.seconds.copy()
    seconds[local] -= offsets[index].astype(seconds.dtype)
    return SplitTime(seconds, times.nanoseconds)


def _find_offset(seconds: int, zone: zoneinfo.ZoneInfo) -> float:
    moment = (_EPOCH + datetime.timedelta(seconds=seconds)).replace(tzinfo=zone)
    offset = moment.utcoffset()
    assert offset is not None, "expected a zone with offsets"
    return offset.total_seconds()


def split_arrow_times(values: pa.Array) -> ParsedTimes:
    """Splits a column of Arrow timestamps or dates, which has its own unit."""
    if pa.types.is_date(values.type):
        values = pc.cast(values, pa.timestamp("ms"))
    per_second = UNITS_PER_SECOND[values.type.unit]
    ticks = pc.fill_null(pc.cast(values, pa.int64()), 0).to_numpy(zero_copy_only=False)
    seconds, rest = np.divmod(ticks, per_second)
    present = pc.is_valid(values).to_numpy(zero_copy_only=False)
    local = present if values.type.tz is None else np.zeros(len(values), bool)
    times = SplitTime(seconds, rest * (NANOSECONDS_PER_SECOND // per_second))
    return ParsedTimes(times, ~present, np.zeros(len(values), bool), local)
