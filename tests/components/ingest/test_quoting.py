"""Quoted fields; for delimiters of one character the standard library is the oracle."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest import quoting
from components.ingest.quoting import Dialect

FIELDS = st.lists(st.text('ab",;: ', max_size=8), min_size=2, max_size=5)


@given(FIELDS, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_reads_what_the_standard_library_writes(row, quoting_rule):
    sink = io.StringIO()
    csv.writer(sink, delimiter=";", quoting=quoting_rule, lineterminator="").writerow(row)
    assert quoting.split(sink.getvalue(), Dialect(";")) == row


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
    assert quoting.split(line, Dialect("::")) == fields


@pytest.mark.parametrize("line", ['"a', '"a"b::c', 'x::"', '"a""'])
def test_broken_quoting(line):
    with pytest.raises(quoting.BrokenQuoting):
        quoting.split(line, Dialect("::"))
