"""Quoted fields; for delimiters of one character the standard library is the reference."""

import csv
import io

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.ingest.read.delimited import parse_delimited
from components.ingest.read.quoting import BrokenQuoting, Dialect, split_fields
from schema.sources import InteractionsSource

FIELDS = st.lists(st.text('ab",;: ', max_size=8), min_size=2, max_size=5)


@given(FIELDS, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_reads_what_the_standard_library_writes(row, quoting_rule):
    sink = io.StringIO()
    csv.writer(sink, delimiter=";", quoting=quoting_rule, lineterminator="").writerow(row)
    assert split_fields(sink.getvalue(), Dialect(";")) == row


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ('a::"b::c"::d', ["a", "b::c", "d"]),
        ('a::5" pipe::', ["a", '5" pipe', ""]),
        ('"say ""hi"""::""', ['say "hi"', ""]),
        ("", [""]),
        ("::", ["", ""]),
        (":::", ["", ":"]),
    ],
)
def test_delimiters_of_several_characters(line, fields):
    assert split_fields(line, Dialect("::")) == fields


@pytest.mark.parametrize("line", ['"a', '"a"b::c', 'x::"', '"a""'])
def test_broken_quoting_is_an_error(line):
    with pytest.raises(BrokenQuoting):
        split_fields(line, Dialect("::"))


@pytest.mark.parametrize(
    ("strips", "ids", "names"),
    [
        (True, ["8", "9", "10", ""], ["a b", " c ", "d", "e"]),
        (False, [" 8", "9\t", " 10 ", "  "], [" a b ", " c ", "d", "e"]),
    ],
)
def test_blanks_around_unquoted_fields_are_stripped_if_configured(strips, ids, names):
    lines = [" 8, a b ", '9\t," c "', " 10 ,d", "  ,e"]
    records = parse_delimited(lines, ["id", "name"], ["id", "name"], Dialect(",", strips=strips))
    order = pa.array(np.argsort(records.index))
    result = pa.table(records.columns).take(order)
    assert result.to_pydict() == {"id": ids, "name": names}
    assert records.faults == {}


def test_stripping_is_only_for_delimited_text():
    assert not InteractionsSource(path="x").strip_fields
    with pytest.raises(ValidationError, match='strip_fields goes with format = "csv", not jsonl'):
        InteractionsSource(path="x", format="jsonl", strip_fields=True)
