"""Files of ids as editors, spreadsheets and Windows write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import id_file
from schema.errors import UsageError

ID = st.text(min_size=1, max_size=9).map(str.strip).filter(lambda one: one and "\ufeff" not in one)
IDS = st.lists(ID.filter(lambda one: not set(one) & set("\r\n")))
END = st.sampled_from(["\n", "\r\n", "\r", "\n\n", " \n", "\t\r\n", "\r\n \r\n"])


@pytest.mark.parametrize(
    "content",
    [
        b"i1\ni 2\n\xc3\xa9\n",
        b"i1\ni 2\n\xc3\xa9",
        b"\xef\xbb\xbfi1\ni 2\n\xc3\xa9\n",
        b"i1\r\ni 2\r\n\xc3\xa9\r\n",
        b"i1\ri 2\r\xc3\xa9\r",
        b"\n  i1 \n\ti 2\n   \n\n\xc3\xa9\xc2\xa0\n\n",
    ],
)
def test_line_ends_blanks_and_byte_order_marks_are_not_part_of_an_id(tmp_path, content):
    (tmp_path / "ids").write_bytes(content)
    assert id_file.read(tmp_path / "ids", "ids", "") == ["i1", "i 2", "é"]


@pytest.mark.parametrize("inside", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1e"])
def test_other_separators_do_not_end_a_line(tmp_path, inside):
    (tmp_path / "ids").write_bytes(f"a{inside}b\nc\n".encode())
    assert id_file.read(tmp_path / "ids", "ids", "") == [f"a{inside}b", "c"]


@given(IDS, END)
def test_written_ids_are_read_back(ids, end):
    assert id_file.parse("".join(one + end for one in ids)) == ids


@pytest.mark.parametrize(
    ("content", "received"),
    [
        (b"a\nb\n\xe9t\xe9\n", "received the byte 0xe9 in line 3"),
        ("a\nb\n".encode("utf-16"), "received UTF-16"),
        (None, "received: No such file or directory; give another"),
    ],
)
def test_an_invalid_file_of_ids_is_refused(tmp_path, content, received):
    path = tmp_path / "ids"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        id_file.read(path, "item ids", "give another")
    assert str(path) in str(caught.value)
    assert "item ids" in str(caught.value)
    assert received in str(caught.value)
