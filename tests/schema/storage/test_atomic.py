"""A file is complete or absent, however the block that writes it ends."""

import pathlib

import pytest

from schema.errors import UsageError
from schema.storage import atomic


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "summary.json"
    path.write_text("old")
    return path


def test_the_old_file_stays_until_the_block_ends(path):
    with atomic.replace_file(path) as unfinished:
        unfinished.write_bytes(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def _write_half(path, error):
    with atomic.replace_file(path) as unfinished:
        unfinished.write_bytes(b"half")
        raise error


def _append_half(path, error):
    with atomic.open_text(path) as append:
        append("half")
        raise error


@pytest.mark.parametrize("write", [_write_half, _append_half])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_only_the_old_file_exists(path, write, error):
    with pytest.raises(error):
        write(path, error)
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_text_is_utf_8(path):
    atomic.write_text(path, "Amélie\n")
    assert path.read_bytes() == b"Am\xc3\xa9lie\n"


def test_appended_text_replaces_the_file(path):
    with atomic.open_text(path) as append:
        append("a\n")
        append("ß\n")
    assert path.read_bytes() == b"a\n\xc3\x9f\n"


def test_a_full_disk_is_named(path):
    path.with_name(".unfinished-summary.json").symlink_to("/dev/full")
    refused = pytest.raises(UsageError, match=f"expected to write {path}, received: No space left")
    with refused, atomic.open_text(path) as append:
        append("text")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_a_device_is_refused():
    with (
        pytest.raises(UsageError, match="expected a path for a file, received /dev/null"),
        atomic.open_text(pathlib.Path("/dev/null")),
    ):
        pass
