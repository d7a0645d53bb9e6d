"""Text of any encoding and with any ends of line becomes bytes that blocks can be cut from."""

import gzip
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.ingest.read import text_stream
from components.ingest.read.blocks import split_blocks
from components.ingest.read.lines import decode_block
from components.ingest.read.quoting import Dialect
from components.ingest.read.text_stream import convert_text, is_seekable, open_text

SMALL_PIECES = st.integers(1, 5)


class OneByOne(io.BytesIO):
    """A file that gives at most `size` bytes per read."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._size = size

    def read1(self, size: int | None = -1, /) -> bytes:
        return self.read(self._size)


@given(st.lists(st.sampled_from(["a", "é", "\r", "\n", "\r\n"]), max_size=12).map("".join),
       SMALL_PIECES)  # fmt: skip
@example("a\r", 1)
@example("a\r\nb", 2)
def test_a_lone_carriage_return_ends_a_line(text, size):
    result = convert_text(OneByOne(text.encode(), size), "utf-8").read().decode()
    assert len(result) == len(text)
    assert result.replace("\r\n", "\n") == text.replace("\r\n", "\n").replace("\r", "\n")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12), SMALL_PIECES)
@example("\U0001f600", 1)
def test_utf_16_becomes_utf_8(text, size):
    for encoding, name in [("utf-16-le", "utf-16"), ("utf-16-le", "utf-16-le"),
                           ("utf-16-be", "utf-16-be")]:  # fmt: skip
        if text[:1] not in ("\ufeff", "\ufffe"):
            result = convert_text(OneByOne(text.encode(encoding), size), name)
            assert result.read().decode() == text
        marked = ("\ufeff" + text).encode(encoding)
        for configured in ("utf-16", "utf-16-le", "utf-16-be"):
            assert convert_text(OneByOne(marked, size), configured).read().decode() == (
                "\ufeff" + text
            )


def test_invalid_utf_16_affects_only_its_own_line():
    lone = b"\x3d\xd8"  # the first half of a pair of surrogates
    data = "u1\n".encode("utf-16-le") + lone + "x\nu2\n".encode("utf-16-le") + b"\x00"
    blocks = split_blocks("f", convert_text(io.BytesIO(data), "utf-16"), 1000)
    lines = [decode_block(block, "utf-8") for block in blocks]
    assert [text for part in lines for text in part.texts] == ["u1", "u2"]
    rejected = [letter for part in lines for letter in part.rejected]
    assert [(letter.line, letter.reason) for letter in rejected] == [
        (2, "invalid_encoding"), (4, "invalid_encoding"),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_line_numbers_do_not_depend_on_the_end_of_line(size, monkeypatch):
    monkeypatch.setattr(text_stream, "_PIECE_BYTES", 1)
    for newline in ("\n", "\r\n", "\r"):
        data = newline.join(["a,1", '"b', 'c",2', "", "d,3"]).encode()
        blocks = split_blocks("f", convert_text(io.BytesIO(data), "utf-8"), size, Dialect(","))
        lines = [decode_block(block, "utf-8", 0, Dialect(",")) for block in blocks]
        texts = [text for part in lines for text in part.texts]
        assert texts == ["a,1", '"b\nc",2', "d,3"]
        assert [int(n) for part in lines for n in part.numbers] == [1, 2, 5]


def test_a_file_is_cut_into_ranges_unless_it_is_compressed_or_utf_16(tmp_path):
    (tmp_path / "a").write_bytes(b"a\rb")
    (tmp_path / "b").write_bytes(gzip.compress(b"a\rb"))
    assert is_seekable(str(tmp_path / "a"), "cp1252")
    assert not is_seekable(str(tmp_path / "a"), "utf-16")
    assert not is_seekable(str(tmp_path / "b"), "utf-8")
    with open_text(str(tmp_path / "b"), "utf-8") as handle:
        assert handle.read() == b"a\nb"
