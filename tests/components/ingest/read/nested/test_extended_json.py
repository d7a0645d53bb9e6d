"""MongoDB's Extended JSON as plain values."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from components.ingest.read.nested.extended_json import unwrap_objects

NEW_YEAR = 1_704_067_200_000  # 2024-01-01T00:00:00Z in milliseconds


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"$oid": "65920080a1b2c3d4e5f60718"}, "65920080a1b2c3d4e5f60718"),
        ({"$numberLong": "9007199254740993"}, 9007199254740993),
        ({"$numberInt": "-5"}, -5),
        ({"$numberDouble": "4.5"}, 4.5),
        ({"$numberDouble": "NaN"}, None),
        ({"$numberDecimal": "12.50"}, Decimal("12.50")),
        ([{"$oid": "a"}, {"$oid": "b"}], ["a", "b"]),
        ({"$numberLong": "many"}, {"$numberLong": "many"}),
        ({"$numberLong": 5}, {"$numberLong": 5}),
        ({"$oid": "a", "more": 1}, {"$oid": "a", "more": 1}),
        ({"$date": "yesterday"}, {"$date": "yesterday"}),
        ({"name": "a"}, {"name": "a"}),
    ],
)
def test_an_object_of_extended_json_becomes_its_value(value, expected):
    assert unwrap_objects([value, None]) == [expected, None]


@pytest.mark.parametrize(
    "date",
    [
        NEW_YEAR,
        {"$numberLong": str(NEW_YEAR)},
        "2024-01-01T00:00:00Z",
        "2024-01-01T00:00:00.000Z",
        "2024-01-01T01:00:00.000+0100",
        "2023-12-31T19:00:00-05:00",
    ],
)
def test_every_form_of_a_date_becomes_a_timestamp(date):
    times: Any = unwrap_objects([{"$date": date}, None])
    assert times.type == pa.timestamp("us", "UTC")
    assert times.cast(pa.int64()).to_pylist() == [NEW_YEAR * 1000, None]


def test_dates_among_other_values_become_iso_8601():
    assert unwrap_objects([{"$date": NEW_YEAR}, "2024-02-01T00:00:00Z"]) == [
        "2024-01-01T00:00:00+00:00",
        "2024-02-01T00:00:00Z",
    ]


def test_plain_columns_stay_the_same_object():
    values = [1, "a", None, [1.0, 2.0]]
    assert unwrap_objects(values) is values
