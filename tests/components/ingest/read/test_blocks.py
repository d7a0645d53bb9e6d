"""Blocks consist of whole lines and together make up the file."""

import gzip
import io
import random

from hypothesis import given
from hypothesis import strategies as st

from components.ingest.read.blocks import Block, split_blocks
from components.ingest.read.lines import decode_block


@given(
    st.lists(st.sampled_from([b"a", b"bb", b"\n", b"\r\n"]), max_size=40).map(b"".join),
    st.integers(1, 9),
)
def test_blocks_are_whole_lines(data, size):
    result = list(split_blocks("f", io.BytesIO(data), size))
    assert b"".join(block.data for block in result) == data
    for block in result:
        assert block.first_line == 1 + data[: block.offset].count(b"\n")
        assert data[block.offset :].startswith(block.data)
    assert all(block.data.endswith(b"\n") for block in result[:-1])


def test_a_truncated_stream_is_read_up_to_the_damage():
    chance = random.Random(1)
    text = b"".join(b"%d\n" % chance.randrange(10**9) for _ in range(20_000))
    packed = gzip.compress(text)
    cut = gzip.GzipFile(fileobj=io.BytesIO(packed[: len(packed) // 2]))
    *whole, last = split_blocks("f", cut, 1000)
    assert last.damaged
    assert not any(block.damaged for block in whole)
    recovered = b"".join(block.data for block in whole) + last.data
    assert text.startswith(recovered)
    assert len(recovered) > len(text) // 3
    assert b"\n" not in last.data


def test_an_invalid_gzip_file_is_one_damaged_record():
    [only] = split_blocks("f", gzip.GzipFile(fileobj=io.BytesIO(b"user,item\n")), 1000)
    assert only.damaged
    assert decode_block(only, "utf-8", header_line=1).read == 1


def test_lines_keep_their_numbers():
    block = Block("f", 1, 0, b"\xef\xbb\xbfhead\r\n\r\none\n\xff\n\ntwo")
    result = decode_block(block, "utf-8", header_line=1)
    assert result.texts == ["one", "two"]
    assert result.numbers.tolist() == [3, 6]
    assert [(letter.line, letter.reason, letter.raw) for letter in result.rejected] == [
        (4, "invalid_encoding", "\\xff")
    ]
    assert result.read == 3
