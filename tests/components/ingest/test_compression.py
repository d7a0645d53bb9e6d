"""Packed files give the bytes that were packed, or say that they are damaged."""

import gzip
import random

import pytest
import zstandard

from components.ingest import blocks, compression

CHANCE = random.Random(3)
TEXT = b"".join(b"user-%d,%d\n" % (n, CHANCE.randrange(10**9)) for n in range(30_000))


def packed(name: str, data: bytes) -> bytes:
    return gzip.compress(data) if name.endswith(".gz") else zstandard.compress(data)


def read(path, size: int = -1) -> bytes:
    with compression.open_bytes(str(path)) as handle:
        return handle.read(size)


@pytest.mark.parametrize("name", ["a.gz", "a.zst", "a.zstd"])
def test_members_and_frames_follow_each_other(tmp_path, name):
    (tmp_path / name).write_bytes(packed(name, TEXT) + packed(name, b"") + packed(name, b"end\n"))
    assert compression.is_packed(str(tmp_path / name))
    assert read(tmp_path / name) == TEXT + b"end\n"
    with compression.open_bytes(str(tmp_path / name)) as handle:
        assert handle.readline() == TEXT[: TEXT.index(b"\n") + 1]


@pytest.mark.parametrize("name", ["a.gz", "a.zst"])
def test_an_empty_file_is_empty(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert read(tmp_path / name) == b""


@pytest.mark.parametrize("name", ["a.gz", "a.zst"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_cut_short_gives_what_it_holds(tmp_path, name, share):
    whole = packed(name, TEXT)
    (tmp_path / name).write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(compression.DAMAGED):
        read(tmp_path / name)
    with compression.open_bytes(str(tmp_path / name)) as handle:
        *good, last = blocks.blocks(name, handle, 4096)
    assert last.damaged
    assert not any(block.damaged for block in good)
    kept = b"".join(block.data for block in good) + last.data
    assert TEXT.startswith(kept)
    assert len(kept) > len(TEXT) * (share - 0.45)  # a Zstandard block holds 128 KiB


@pytest.mark.parametrize("name", ["a.gz", "a.zst"])
def test_what_was_never_packed_is_damaged(tmp_path, name):
    (tmp_path / name).write_bytes(TEXT)
    with pytest.raises(compression.DAMAGED):
        read(tmp_path / name)
