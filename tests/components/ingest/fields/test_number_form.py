"""Numbers as people write them, in text of any format."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.ingest.fields.kinds import convert_numbers, convert_positives
from components.ingest.fields.number_form import NumberForm
from components.ingest.fields.vectors import convert_columns
from schema.sources import Source

CONTINENTAL = NumberForm(",", ".")


def convert(value: str, form: NumberForm) -> float | str | None:
    """The number, None if absent, or the reason of the fault; the same for both kinds of column."""
    result = []
    for values in (pa.array([value], pa.large_string()), [value], [value, 7]):
        converted = convert_numbers(values, form)
        reasons = [reason for reason, refused in converted.faults if refused[0]]
        result.append(reasons[0] if reasons else converted.array[0].as_py())
    assert result[0] == result[1] == result[2]
    return result[0]


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        ("$12.50", NumberForm(), 12.5),
        ("12.50 EUR", NumberForm(), 12.5),
        ("EUR12.50", NumberForm(), 12.5),
        ("US$ 1", NumberForm(), 1.0),
        ("R$5", NumberForm(), 5.0),
        ("-€5", NumberForm(), -5.0),
        ("€ -5", NumberForm(), -5.0),
        ("₹3", NumberForm(), 3.0),
        ("", NumberForm(), None),
        (" ", NumberForm(), None),
        ("1.234,50 €", CONTINENTAL, 1234.5),
        ("1.234.567", CONTINENTAL, 1234567.0),
        ("1234,5", CONTINENTAL, 1234.5),
        (",5", CONTINENTAL, 0.5),
        ("-1.234", CONTINENTAL, -1234.0),
        ("1,5e3", CONTINENTAL, 1500.0),
        ("1,234.50", NumberForm(".", ","), 1234.5),
        ("12,34,567.5", NumberForm(".", ","), 1234567.5),
        ("1234.5", NumberForm(".", ","), 1234.5),
        ("1\u202f234,50\xa0€", NumberForm(",", " "), 1234.5),
        ("1 234 567", NumberForm(",", " "), 1234567.0),
        ("CHF 1\u2019234.50", NumberForm(".", "'"), 1234.5),
        ("1_000", NumberForm(".", "_"), 1000.0),
        ("0,5", NumberForm(","), 0.5),
    ],
)
def test_numbers(value, form, expected):
    assert convert(value, form) == expected


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("1.234,50", NumberForm()), ("1,5", NumberForm()), ("€", NumberForm()),
        ("5 kg", NumberForm()), ("5 MIN", NumberForm()),
        ("1.5", CONTINENTAL), ("1.2345", CONTINENTAL), ("1.23.4", CONTINENTAL),
        ("1,234.5", CONTINENTAL), ("1.5", NumberForm(",")), ("1,5,0", NumberForm(",")),
        ("nan", CONTINENTAL), ("--1", CONTINENTAL), ("1e999", CONTINENTAL),
    ],
)  # fmt: skip
def test_other_texts_are_not_guessed_at(value, form):
    assert convert(value, form) == "bad_number"


@given(st.integers(-(10**12), 10**12), st.sampled_from([".", ",", " ", "_"]))
def test_pythons_thousands(number, thousands):
    written = f"{number:,}".replace(",", thousands)
    decimal = "," if thousands == "." else "."
    assert convert(written, NumberForm(decimal, thousands)) == float(number)


def test_numbers_of_json_keep_their_decimal_point():
    converted = convert_numbers([1234.5, "1.234,5", 7, True, None, 1e-7], CONTINENTAL)
    assert converted.array.to_pylist() == [1234.5, 1234.5, 7.0, 1.0, None, 1e-7]
    typed = convert_numbers(pa.array([1.5, 2.25]), CONTINENTAL)
    assert typed.array.to_pylist() == [1.5, 2.25]


def test_labels_and_vectors_follow_the_form():
    prices = pa.array(["3,5 €", "4,0 €"], pa.large_string())
    assert convert_positives(prices, 4, CONTINENTAL).array.to_pylist() == [0, 1]
    vectors = convert_columns(prices, prices, form=CONTINENTAL)
    assert vectors.array.to_pylist() == [[3.5, 3.5], [4.0, 4.0]]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"decimal": ",", "thousands": ","}, "expected different decimal and thousands"),
        ({"decimal": ";"}, "decimal"),
        ({"delimiter": "→", "encoding": "cp1252"}, "a delimiter that encoding = 'cp1252' has"),
    ],
)
def test_keys_that_do_not_fit(keys, message):
    with pytest.raises(ValidationError, match=message):
        Source.model_validate({"path": "x", **keys})
