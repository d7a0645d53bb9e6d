"""Header, skipped lines, comments and delimiters at ends of lines, in files of every shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.fields.parser import BlockParser
from components.ingest.fields.table_fields import build_item_fields
from components.ingest.fields.table_spec import LINE, TableSpec
from components.ingest.read.blocks import split_blocks
from components.ingest.read.layout import read_header, read_layout, read_start
from components.ingest.read.quoting import build_dialect
from components.ingest.read.text_stream import open_text
from schema.dataset import Dataset
from schema.errors import DataRefused
from schema.sources import Source


@pytest.fixture
def write(tmp_path):
    """write(bytes) -> path."""

    def run(data: bytes) -> str:
        (tmp_path / "f").write_bytes(data)
        return str(tmp_path / "f")

    return run


def read(path: str, block_bytes: int = 1 << 20, **keys) -> tuple[list, list, int]:
    """(line, id, title) of accepted records, (line, reason) of rejected ones, number of comments,
    block by block.
    """
    items = {"path": path, "item_id": "id", "title": "title", **keys}
    dataset = Dataset.model_validate({"data": {"interactions": {"path": "x"}, "items": items}})
    [source] = dataset.data.item_tables
    parser = BlockParser(TableSpec("items", source, build_item_fields(dataset), 1, (LINE,)))
    dialect = build_dialect(source)
    accepted, rejected, comments = [], [], 0
    with open_text(path, source.encoding) as handle:
        for block in split_blocks(path, handle, block_bytes, dialect):
            [parsed] = parser.parse(block)
            assert parsed.read == parsed.accepted.num_rows + len(parsed.rejected)
            rows = parsed.accepted.select(["line", "item_id", "title"]).to_pylist()
            accepted += [tuple(row.values()) for row in rows]
            rejected += [(letter.line, letter.reason) for letter in parsed.rejected]
            comments += parsed.comments
    return accepted, rejected, comments


EXPORT = b"""Export "of May
nothing, here
# by "a, "tool
id,title
# "more
1,one

2,"two
# no comment"
#3,gone
id,title
4,"#four"
"""


@pytest.mark.parametrize("block_bytes", [1, 7, 30, 1000])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_skipped_lines_comments_and_a_repeated_header(write, block_bytes, newline):
    path = write(EXPORT.replace(b"\n", newline))
    assert read(path, block_bytes, skip_lines=2, comment="#") == (
        [(6, "1", "one"), (8, "2", "two\n# no comment"), (12, "4", "#four")],
        [(11, "header_line")],
        3,
    )


def test_the_header_is_the_first_line_that_is_neither_skipped_nor_a_comment(write):
    source = Source(path="f", skip_lines=2, comment="#")
    assert read_layout(write(EXPORT), source) == (["id", "title"], 4)
    assert read_header(write(EXPORT), source) == ["id", "title"]
    assert read_start(write(EXPORT), source, 2) == ['Export "of May', "nothing, here"]


def test_more_skipped_lines_than_there_are(write):
    assert read(write(b"a\nb"), 1, skip_lines=9, columns=["id", "title"]) == ([], [], 0)


def test_a_comment_that_is_not_text_is_a_comment(write):
    data = b"id,title\n# \xff\n1,one\n2,\xff\n"
    assert read(write(data), comment="#") == ([(3, "1", "one")], [(4, "invalid_encoding")], 1)


def test_without_a_comment_key_every_line_is_a_record(write):
    assert read(write(b"id,title\n#1,one\n")) == ([(2, "#1", "one")], [], 0)


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"id|title|\n1|one|\n2|two|\n", {}),
        (b"id|title\n1|one|\n2|two|\n", {}),
        (b"id|title|\n1|one\n2|two\n", {}),
        (b"\n1|one|\n2|two|\n", {"columns": ["id", "title"]}),
        (b'id|title\n1|"one"|\n2|two|', {}),
    ],
)
def test_a_delimiter_after_the_last_field(write, data, keys):
    assert read(write(data), 1, delimiter="|", **keys) == (
        [(2, "1", "one"), (3, "2", "two")], [], 0,
    )  # fmt: skip


def test_an_empty_field_too_many_is_rejected_unless_all_lines_have_one(write):
    data = b"id,title\n1,one\n2,two,\n"
    assert read(write(data)) == ([(2, "1", "one")], [(3, "wrong_field_count")], 0)


def test_if_all_lines_end_with_a_delimiter_a_value_after_it_is_rejected(write):
    lines = [f"{n},name {n},\n" for n in range(2, 102)]
    data = "id,title\n" + "".join(lines) + "1000,a, b\n1001,a\n"
    accepted, rejected, _ = read(write(data.encode()))
    assert len(accepted) == 100
    assert rejected == [(102, "wrong_field_count"), (103, "wrong_field_count")]


@given(st.integers(1, 60), st.integers(0, 3))
def test_blocks_of_any_size_have_the_same_records(tmp_path_factory, block_bytes, skipped):
    folder = tmp_path_factory.getbasetemp() / f"skip{skipped}"
    folder.mkdir(exist_ok=True)
    path = folder / "f"
    path.write_bytes(b'a "b,"\n' * skipped + b'#x\nid;title;\n1;"o\r\n#e";\n#y;"\n2;t;\n')
    first = skipped + 3
    assert read(str(path), block_bytes, delimiter=";", skip_lines=skipped, comment="#") == (
        [(first, "1", "o\n#e"), (first + 3, "2", "t")], [], 2,
    )  # fmt: skip


def test_a_header_in_another_encoding_is_refused_with_the_keys(write):
    with pytest.raises(DataRefused, match="See the keys encoding, quote and skip_lines"):
        read_layout(write(b"id,t\xeetle\n"), Source(path="f"))
    assert read_header(write(b"id,t\xeetle\n"), Source(path="f", encoding="cp1252")) == [
        "id", "tîtle",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "price"), [("cp1252", "€"), ("koi8-r", "ж"), ("utf-16", "語")]
)
def test_titles_in_other_encodings(write, encoding, price):
    data = f"id,title\n1,{price}\n".encode(encoding)
    assert read(write(data), 1, encoding=encoding) == ([(2, "1", price)], [], 0)


def test_a_byte_without_a_character_is_rejected(write):
    data = b"id,title\n1,a\x81\n2,b\n"
    assert read(write(data), encoding="cp1252") == (
        [(3, "2", "b")], [(2, "invalid_encoding")], 0,
    )  # fmt: skip
