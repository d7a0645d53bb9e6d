"""Records of several lines, for any block boundaries; the csv module is the reference."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.ingest.read.blocks import split_blocks
from components.ingest.read.delimited import parse_delimited
from components.ingest.read.layout import read_header
from components.ingest.read.lines import decode_block
from components.ingest.read.quoting import Dialect
from components.ingest.read.record_ends import MAX_QUOTED_BYTES, find_record_bounds
from schema.sources import Source

FIELD = st.text('ab",\n\\ ', max_size=6)
ROWS = st.lists(st.lists(FIELD, min_size=3, max_size=3), max_size=12)
NAMES = ["x", "y", "z"]


def read(data: bytes, dialect: Dialect, block_bytes: int = 16) -> tuple[list, list]:
    """Rows in order and (line, reason) of faults, of `data` cut into blocks."""
    rows, faults = [], []
    for block in split_blocks("f", io.BytesIO(data), block_bytes, dialect):
        result = decode_block(block, "utf-8", 0, dialect)
        records = parse_delimited(result.texts, NAMES, NAMES, dialect)
        columns = [list(map(str, records.columns[name])) for name in NAMES]
        at = dict(zip(records.index.tolist(), zip(*columns, strict=True), strict=True))
        rows += [list(at[n]) for n in sorted(at)]
        faults += [
            (int(result.numbers[n]), records.faults[n].reason) for n in sorted(records.faults)
        ]
    return rows, faults


@given(ROWS, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.integers(1, 40),
       st.sampled_from(["\n", "\r\n"]))  # fmt: skip
@example([["a", "b\n", "c"]], csv.QUOTE_ALL, 3, "\n")
def test_reads_what_the_csv_module_writes(rows, rule, block_bytes, newline):
    sink = io.StringIO()
    csv.writer(sink, quoting=rule, lineterminator=newline).writerows(rows)
    data = sink.getvalue().encode()
    assert read(data, Dialect(","), block_bytes) == (rows, [])
    assert read(data.removesuffix(newline.encode()), Dialect(","), block_bytes) == (rows, [])


@given(ROWS, st.integers(1, 40))
def test_reads_escapes_as_the_csv_module_writes_them(rows, block_bytes):
    sink = io.StringIO()
    writer = csv.writer(
        sink, doublequote=False, escapechar="\\", quoting=csv.QUOTE_ALL, lineterminator="\n"
    )
    rows = [[field.replace("\\", "") for field in row] for row in rows]
    writer.writerows(rows)
    assert read(sink.getvalue().encode(), Dialect(",", escape="\\"), block_bytes) == (rows, [])


def test_escapes_by_hand():
    data = b'a\\,b,"c\\"d",e\\\\\nf,g\\\nh,i\n'
    expected = [["a,b", 'c"d', "e\\"], ["f", "g\nh", "i"]]
    assert read(data, Dialect(",", escape="\\")) == (expected, [])
    unquoted = Dialect(",", quote="", escape="\\")
    assert read(data, unquoted)[0] == [["a,b", '"c"d"', "e\\"], ["f", "g\nh", "i"]]


def test_the_null_of_a_database_export_is_not_an_escaped_letter():
    data = b'\\N\t\\Nx\t\\N\n"\\N"\t\\\\N\ta\\N\n'
    expected = [["\\N", "Nx", "\\N"], ["N", "\\N", "aN"]]
    assert read(data, Dialect("\t", escape="\\")) == (expected, [])


@given(st.binary(max_size=80).map(lambda raw: raw.translate(bytes(b'",\n\rab'[n % 6]
                                                                for n in range(256)))),
       st.integers(1, 30))  # fmt: skip
def test_the_result_does_not_depend_on_block_boundaries(data, block_bytes):
    whole = read(data, Dialect(","), 10_000)
    assert read(data, Dialect(","), block_bytes) == whole


@pytest.mark.parametrize(
    ("text", "rows", "faults"),
    [
        ('u\t"a b\t1\nv\tc\t2\n', [["v", "c", "2"]], [(1, "broken_quoting")]),
        ('u\t"a" b\t1\nv\tc\t2\n', [["v", "c", "2"]], [(1, "broken_quoting")]),
        ('u\t5" disk\t1\nv\t6" disk\t2\n', [["u", '5" disk', "1"], ["v", '6" disk', "2"]], []),
        ('u\t"a\n\nb"\t1\nv\tx\ty\tz\n', [["u", "a\n\nb", "1"]],
         [(4, "wrong_field_count")]),
    ],
)  # fmt: skip
def test_an_unclosed_quote_affects_only_its_own_line(text, rows, faults):
    assert read(text.encode(), Dialect("\t")) == (rows, faults)


def test_without_quoting_a_quote_is_an_ordinary_character():
    data = b'u\t"a\t1\nv\t"b"\t2\n'
    rows = [["u", '"a', "1"], ["v", '"b"', "2"]]
    assert read(data, Dialect("\t", quote="")) == (rows, [])


def test_another_quotation_mark():
    data = b"'a','b,\n''c',\"\nd\",'e',f\n"
    rows = [["a", "b,\n'c", '"'], ['d"', "e", "f"]]
    assert read(data, Dialect(",", quote="'")) == (rows, [])


def test_delimiters_of_several_characters():
    data = b'u::"a::\nb"::1\n"v"::":"::2\n'
    assert read(data, Dialect("::")) == ([["u", "a::\nb", "1"], ["v", ":", "2"]], [])


def test_a_quoted_field_has_a_maximum_length():
    data = b'u,"' + b"line\n" * (MAX_QUOTED_BYTES // 5 + 1) + b'",1\n'
    result = find_record_bounds(data, Dialect(","), is_whole=True)
    assert not result.several_lines


def test_a_header_can_have_several_lines(tmp_path):
    (tmp_path / "a").write_bytes(b'\xef\xbb\xbfx,"y\nz"\n1,2\n')
    assert read_header(str(tmp_path / "a"), Source(path="a")) == ["x", "y\nz"]


@pytest.mark.parametrize(
    "keys",
    [
        {"escape": '"'},
        {"quote": "::"},
        {"quote": ","},
        {"escape": ","},
        {"escape": "ab"},
        {"format": "jsonl", "quote": ""},
    ],
)
def test_keys_that_do_not_fit_the_format_are_refused(keys):
    with pytest.raises(ValidationError):
        Source.model_validate({"path": "a", **keys})
