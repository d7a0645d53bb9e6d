"""Compressed files give the original bytes, or an error if they are damaged."""

import bz2
import gzip
import lzma
import random

import pytest
import zstandard

from components.ingest.read.blocks import split_blocks
from components.ingest.read.compression import DAMAGE_ERRORS, is_compressed, open_decompressed

CHANCE = random.Random(3)
TEXT = b"".join(b"user-%d,%d\n" % (n, CHANCE.randrange(10**9)) for n in range(30_000))


def packed(name: str, data: bytes) -> bytes:
    return gzip.compress(data) if name.endswith(".gz") else zstandard.compress(data)


def read(path, size: int = -1) -> bytes:
    with open_decompressed(str(path)) as handle:
        return handle.read(size)


@pytest.mark.parametrize("name", ["a.gz", "a.zst", "a.zstd"])
def test_several_members_and_frames_are_concatenated(tmp_path, name):
    (tmp_path / name).write_bytes(packed(name, TEXT) + packed(name, b"") + packed(name, b"end\n"))
    assert is_compressed(str(tmp_path / name))
    assert read(tmp_path / name) == TEXT + b"end\n"
    with open_decompressed(str(tmp_path / name)) as handle:
        assert handle.readline() == TEXT[: TEXT.index(b"\n") + 1]


@pytest.mark.parametrize("name", ["a.gz", "a.zst"])
def test_an_empty_file_is_empty(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert read(tmp_path / name) == b""


@pytest.mark.parametrize("name", ["a.gz", "a.zst"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_read_up_to_the_damage(tmp_path, name, share):
    whole = packed(name, TEXT)
    (tmp_path / name).write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DAMAGE_ERRORS):
        read(tmp_path / name)
    with open_decompressed(str(tmp_path / name)) as handle:
        *good, last = split_blocks(name, handle, 4096)
    assert last.damaged
    assert not any(block.damaged for block in good)
    recovered = b"".join(block.data for block in good) + last.data
    assert TEXT.startswith(recovered)
    assert len(recovered) > len(TEXT) * (share - 0.45)  # a Zstandard block has 128 KiB


PACKERS = {
    "gzip": gzip.compress, "zstd": zstandard.compress, "bz2": bz2.compress, "xz": lzma.compress,
}  # fmt: skip


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("name", ["log.csv", "log.GZ", "log.gz", "log"])
def test_the_format_depends_on_the_bytes_and_not_the_name(tmp_path, name, packer):
    pack = PACKERS[packer]
    (tmp_path / name).write_bytes(pack(TEXT) + pack(b"end\n"))
    assert is_compressed(str(tmp_path / name))
    assert read(tmp_path / name) == TEXT + b"end\n"
    (tmp_path / name).write_bytes(pack(TEXT)[:-9])
    with pytest.raises(DAMAGE_ERRORS):
        read(tmp_path / name)
    if packer == "zstd":  # its frames have no checksum by default
        return
    broken = bytearray(pack(TEXT))
    broken[len(broken) // 2] ^= 0xFF
    (tmp_path / name).write_bytes(broken)
    with pytest.raises(DAMAGE_ERRORS):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["a.gz", "a.zst"])
def test_an_uncompressed_file_is_read_unchanged(tmp_path, name):
    (tmp_path / name).write_bytes(TEXT)
    assert not is_compressed(str(tmp_path / name))
    assert read(tmp_path / name) == TEXT


def test_text_that_begins_like_a_compressed_file_is_text(tmp_path):
    for text in (b"BZhang,i,1\n", b"BZh9,i,1\n", b"P*M,1\n"):
        (tmp_path / "a").write_bytes(text)
        assert read(tmp_path / "a") == text
