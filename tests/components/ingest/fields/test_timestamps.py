import datetime
import email.utils
import math
import zoneinfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.fields.timestamps import (
    LATEST,
    TimeNotation,
    convert_seconds,
    convert_timestamps,
)
from tests.components.ingest.fields.outcomes import outcomes

SECOND = 10**9
NOON = 1_600_000_000  # 2020-09-13T12:26:40Z


def text(*values):
    return pa.array(values, pa.large_string())


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("1600000000", "s", 1_600_000_000 * 10**9),
        ("1600000000.75", "s", 1_600_000_000_750_000_000),
        ("1600000000999", "ms", 1_600_000_000_999_000_000),
        ("1600000000001.5", "ms", 1_600_000_000_001_500_000),
        ("1600000000999999", "us", 1_600_000_000_999_999_000),
        ("4102444799999999", "us", 4_102_444_799_999_999_000),
        ("1600000000000", "s", "timestamp_out_of_range"),
        ("1600000000", "ms", "timestamp_out_of_range"),
        ("631151999", "s", "timestamp_out_of_range"),
        ("631152000", "s", 631_152_000 * 10**9),
        ("4102444799", "s", 4_102_444_799 * 10**9),
        ("4102444800", "s", "timestamp_out_of_range"),
        ("0", "s", "timestamp_out_of_range"),
        ("", "s", "bad_timestamp"),
        ("soon", "s", "bad_timestamp"),
        ("inf", "s", "bad_timestamp"),
        ("2020-09-13T12:26:40Z", "iso8601", 1_600_000_000 * 10**9),
        ("2020-09-13 14:26:40.5+02:00", "iso8601", 1_600_000_000_500_000_000),
        ("2020-09-13T12:26:40.000001Z", "iso8601", 1_600_000_000_000_001_000),
        ("2020-09-13T12:26:40.12345678912Z", "iso8601", 1_600_000_000_123_456_789),
        ("2020-09-13T17:56:40+0530", "iso8601", 1_600_000_000 * 10**9),
        ("2020-02-30T00:00:00Z", "iso8601", "bad_timestamp"),
        ("1600000000", "iso8601", "bad_timestamp"),
        ("0000-01-01T00:00:00Z", "iso8601", "timestamp_out_of_range"),
        ("9999-01-01T00:00:00Z", "iso8601", "timestamp_out_of_range"),
    ],
)
def test_times_of_events(value, unit, expected):
    assert outcomes(convert_timestamps(text(value), TimeNotation(unit))) == [expected]
    assert outcomes(convert_timestamps([value], TimeNotation(unit))) == [expected]


def test_times_in_json():
    values = [1_600_000_000, 1_600_000_000.5, None, True, math.nan, [1]]
    assert outcomes(convert_timestamps(values, TimeNotation("s"))) == [
        1_600_000_000 * 10**9, 1_600_000_000_500_000_000, "bad_timestamp",
        "timestamp_out_of_range", "bad_timestamp", "wrong_kind",
    ]  # fmt: skip


def test_an_invalid_date_does_not_affect_other_records():
    column = text("2020-02-30T00:00:00Z", "2020-09-13T12:26:40Z", "")
    assert outcomes(convert_timestamps(column, TimeNotation("iso8601"))) == [
        "bad_timestamp", 1_600_000_000 * 10**9, "bad_timestamp",
    ]  # fmt: skip
    assert convert_timestamps(column, TimeNotation("iso8601")).array.to_numpy().dtype == np.int64


@pytest.mark.parametrize(
    ("unit", "ticks", "expected"),
    [
        ("s", 1_600_000_000, 1_600_000_000 * 10**9),
        ("ms", 1_600_000_000_999, 1_600_000_000_999_000_000),
        ("us", 1_600_000_000_999_999, 1_600_000_000_999_999_000),
        ("ns", 1_600_000_000_123_456_789, 1_600_000_000_123_456_789),
        ("us", 2**62, "timestamp_out_of_range"),  # which 64 bits of nanoseconds cannot hold
        ("us", -1, "timestamp_out_of_range"),
        ("us", None, "bad_timestamp"),
    ],
)
def test_arrow_timestamps_say_their_own_unit(unit, ticks, expected):
    column = pa.array([ticks], pa.timestamp(unit, "Asia/Kolkata"))
    assert outcomes(convert_timestamps(column, TimeNotation("ms"))) == [expected]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2020-09-13T12:26:40z", NOON),
        ("2020-09-13t12:26:40Z", NOON),
        ("2020-09-13 12:26:40 UTC", NOON),
        ("2020-09-13 12:26:40.5 UTC", NOON + 0.5),
        ("2020-09-13 14:26:40 +02:00", NOON),
        ("2020-09-13 14:26:40 +0200", NOON),
        ("2020-09-13T12:26:40,25Z", NOON + 0.25),
        ("2020-09-13T12:26Z", NOON - 40),
        ("2020-09-13 12:26", NOON - 40),
        ("2020-09-13", NOON - 44_800),
        ("2020-09-13T12:26:40", NOON),
        (" 2020-09-13T12:26:40 ", NOON),
        ("20200913T122640Z", NOON),
        ("20200913T1226", NOON - 40),
        ("20200913", NOON - 44_800),
        ("2020-W37-7T12:26:40Z", NOON),
        ("2020-W37-7", NOON - 44_800),
        ("2020W377T122640,5Z", NOON + 0.5),
        ("2020-02-30", None),
        ("2020-W54-1", None),
        ("2020-09-13T25:00", None),
        ("13.09.2020", None),
    ],
)
def test_every_usual_form_of_iso8601(value, seconds):
    expected = "bad_timestamp" if seconds is None else int(seconds * 4) * SECOND // 4
    plain = "2020-09-13T12:26:40Z"
    for column in (text(value, plain), [value, plain]):
        assert outcomes(convert_timestamps(column, TimeNotation("iso8601"))) == [
            expected, NOON * SECOND,
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2020-09-13 14:26:40", NOON),  # summer, two hours ahead of UTC
        ("2020-01-13 13:26:40", 1_578_918_400),  # winter, one hour
        ("2020-10-25 02:30:00", 1_603_585_800),  # occurs twice: the first, 00:30Z
        ("2020-03-29 02:30:00", 1_585_445_400),  # is skipped: 01:30Z
        ("2020-09-13 12:26:40Z", NOON),
    ],
)
def test_local_times_are_those_of_the_zone(value, expected):
    notation = TimeNotation("iso8601", None, "Europe/Berlin")
    converted = convert_timestamps(text(value), notation)
    assert outcomes(converted) == [expected * SECOND]
    assert converted.local == 0


def test_times_that_are_assumed_to_be_utc_are_counted():
    column = text("2020-09-13 12:26:40", "2020-09-13", "2020-09-13T12:26:40Z", "soon", "1970-01-01")
    assert convert_timestamps(column, TimeNotation("iso8601")).local == 2
    naive = pa.array([NOON, None], pa.timestamp("s"))
    assert convert_timestamps(naive, TimeNotation()).local == 1
    assert convert_timestamps(naive, TimeNotation("s", None, "UTC")).local == 0


def test_arrow_times_without_a_zone_are_local():
    notation = TimeNotation("s", None, "Asia/Kolkata")
    naive = pa.array([NOON + 19_800], pa.timestamp("s"))
    assert outcomes(convert_timestamps(naive, notation)) == [NOON * SECOND]
    days = pa.array([datetime.date(2020, 9, 14)], pa.date32())
    midnight = NOON - 44_800 + 86_400
    assert outcomes(convert_timestamps(days, TimeNotation())) == [midnight * SECOND]
    assert outcomes(convert_timestamps(days, notation)) == [(midnight - 19_800) * SECOND]


@pytest.mark.parametrize(
    ("value", "pattern", "expected"),
    [
        ("Sun Sep 13 12:26:40 +0000 2020", "%a %b %d %H:%M:%S %z %Y", NOON),
        ("13.09.2020 12:26", "%d.%m.%Y %H:%M", NOON - 40),
        ("09/13/20", "%m/%d/%y", NOON - 44_800),
        ("Sun, 13 Sep 2020 14:26:40 +0200", "rfc2822", NOON),
        ("13 Sep 2020 12:26:40 GMT", "rfc2822", NOON),
        ("13 Sep", "rfc2822", "bad_timestamp"),
        ("31.02.2020 12:26", "%d.%m.%Y %H:%M", "bad_timestamp"),
        ("", "%d.%m.%Y %H:%M", "bad_timestamp"),
    ],
)
def test_patterns_of_strptime_and_rfc2822(value, pattern, expected):
    if isinstance(expected, int):
        expected *= SECOND
    column = text(value, value)
    assert outcomes(convert_timestamps(column, TimeNotation("s", pattern))) == [expected] * 2


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("1600000000123456789", "ns", 1_600_000_000_123_456_789),
        (1_600_000_000_123_456_789, "ns", 1_600_000_000_123_456_789),
        ("1.500000000e18", "ns", 15 * 10**17),
        ("1.5e18", "ns", "bad_timestamp"),
        ("18518", "d", 1_599_955_200 * SECOND),
        (18518.5, "d", 1_599_998_400 * SECOND),
        ("1.6e9", "s", "bad_timestamp"),
        ("1.600000000e9", "s", NOON * SECOND),
        ("1.60000000E+09", "s", "bad_timestamp"),
        ("1.600000000E+12", "ms", NOON * SECOND),
        ("1.60000000E+12", "ms", "bad_timestamp"),
        ("1600e6", "s", "bad_timestamp"),
    ],
)
def test_nanoseconds_days_and_scientific_notation(value, unit, expected):
    assert outcomes(convert_timestamps([value], TimeNotation(unit))) == [expected]
    if isinstance(value, str):
        assert outcomes(convert_timestamps(text(value), TimeNotation(unit))) == [expected]


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("0", "s", NOON * SECOND),
        ("1500", "ms", NOON * SECOND + 3 * SECOND // 2),
        ("7", "ns", NOON * SECOND + 7),
        ("1", "d", (NOON + 86_400) * SECOND),
        ("-1", "s", (NOON - 1) * SECOND),
        ("", "s", "bad_timestamp"),
    ],
)
def test_numbers_count_from_the_origin(value, unit, expected):
    notation = TimeNotation(unit, origin=NOON)
    assert outcomes(convert_timestamps(text(value), notation)) == [expected]


def test_nanoseconds_of_parquet_are_exact():
    column = pa.array([1_600_000_000_123_456_789, None], pa.int64())
    assert outcomes(convert_timestamps(column, TimeNotation("ns"))) == [
        1_600_000_000_123_456_789, "bad_timestamp",
    ]  # fmt: skip


def test_a_feature_can_be_of_any_year_and_absent():
    notation = TimeNotation("iso8601")
    column = text("1939-09-01", "", None, "someday", "2020-09-13T12:26:40.9Z")
    converted = convert_seconds(column, notation)
    assert outcomes(converted) == [-957_312_000, None, None, "bad_timestamp", NOON]
    assert converted.local == 1
    assert outcomes(convert_seconds([-5.5, "7", None, 1e30, "soon"], TimeNotation())) == [
        -6, 7, None, "bad_timestamp", "bad_timestamp",
    ]  # fmt: skip


MOMENTS = st.datetimes(
    datetime.datetime(1990, 1, 2), datetime.datetime(2099, 12, 30),
    timezones=st.sampled_from(
        [zoneinfo.ZoneInfo(name) for name in ("UTC", "America/New_York", "Asia/Kathmandu")]
    ),
)  # fmt: skip


@given(st.lists(MOMENTS, min_size=1, max_size=20))
def test_all_notations_give_the_same_moments(moments):
    moments = [moment.replace(microsecond=0) for moment in moments]
    expected = [int(moment.timestamp()) * SECOND for moment in moments]
    iso, mail = (
        [moment.isoformat() for moment in moments],
        [email.utils.format_datetime(moment) for moment in moments],
    )
    for column, notation in (
        (iso, TimeNotation("iso8601")),
        ([one.replace("T", " ") for one in iso], TimeNotation("iso8601")),
        ([one.isoformat(timespec="minutes")[:16] + one.isoformat()[16:] for one in moments],
         TimeNotation("iso8601")),
        (mail, TimeNotation("s", "rfc2822")),
        (iso, TimeNotation("s", "%Y-%m-%dT%H:%M:%S%z")),
        ([str(one // SECOND) for one in expected], TimeNotation("s")),
        ([str(one) for one in expected], TimeNotation("ns")),
    ):  # fmt: skip
        assert convert_timestamps(text(*column), notation).array.to_pylist() == expected


@given(st.lists(MOMENTS, min_size=1, max_size=20), st.sampled_from(["Europe/Berlin", "Asia/Tokyo"]))
def test_zones_follow_the_standard_library(moments, zone):
    walls = [moment.replace(tzinfo=None, microsecond=0) for moment in moments]
    expected = [
        int(wall.replace(tzinfo=zoneinfo.ZoneInfo(zone)).timestamp()) * SECOND for wall in walls
    ]
    column = text(*[wall.isoformat(" ") for wall in walls])
    converted = convert_timestamps(column, TimeNotation("iso8601", None, zone), LATEST)
    assert converted.array.to_pylist() == expected
