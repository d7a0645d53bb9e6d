"""Versions on disk: what counts as a version, and that a push is all or nothing."""

import os
import pathlib
import subprocess
import sys
import textwrap
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import TandemError
from serving.versions import local as local_versions
from serving.versions.local import LocalVersionStore, explain_skipped


@pytest.fixture
def source(tmp_path):
    """A folder with a small file, and one of 100 kB in a subfolder."""
    folder = tmp_path / "source"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "data").write_bytes(b"x" * 100_000)
    return folder


def list_files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_versions_are_canonical_positive_integers(tmp_path):
    for name in ("1", "2", "10", "007", "0", "-3", ".tmp-11", "12-copy", "1.5", "x", "٣"):
        (tmp_path / "m" / name).mkdir(parents=True)
    (tmp_path / "m" / "99").write_text("a file, not a folder")
    assert LocalVersionStore(tmp_path).list_versions("m") == [1, 2, 10]
    assert LocalVersionStore(tmp_path).find_latest("m") == 10


def test_an_absent_directory_has_no_versions(tmp_path):
    (tmp_path / "empty").mkdir()
    assert LocalVersionStore(tmp_path).find_latest("nobody") is None
    assert LocalVersionStore(tmp_path).list_models() == []
    assert LocalVersionStore(tmp_path / "absent").list_models() == []
    assert LocalVersionStore(tmp_path).find_next() == 1


@given(st.integers(1, 2**62))
def test_every_version_reads_back(tmp_path_factory, version):
    folder = tmp_path_factory.mktemp("versions")
    LocalVersionStore(folder).get_folder("m", version).mkdir(parents=True)
    assert LocalVersionStore(folder).list_versions("m") == [version]


def test_push_copies_every_model_under_one_number(tmp_path, source):
    serving = tmp_path / "serving"
    (serving / "b" / "3").mkdir(parents=True)
    pushed = LocalVersionStore(serving).push({"a": source, "b": source})
    assert pushed == {"a": f"{serving}/a/4", "b": f"{serving}/b/4"}
    files = ["4/saved_model.pb", "4/variables/data"]
    assert list_files(serving / "a") == list_files(serving / "b") == files
    assert (serving / "a/4/variables/data").read_bytes() == b"x" * 100_000
    assert LocalVersionStore(serving).list_models() == ["a", "b"]
    assert LocalVersionStore(serving).find_next() == 5


def test_next_version_is_above_that_of_any_model(tmp_path):
    (tmp_path / "a" / "3").mkdir(parents=True)
    (tmp_path / "b" / "12").mkdir(parents=True)
    assert LocalVersionStore(tmp_path).find_next() == 13


def test_a_file_named_like_a_version_is_not_removed(tmp_path, source):
    serving = tmp_path / "serving"
    (serving / "b").mkdir(parents=True)
    (serving / "b" / "1").write_text("no folder")
    with pytest.raises(TandemError, match="nothing was pushed"):
        LocalVersionStore(serving).push({"a": source, "b": source})
    assert list_files(serving) == ["b/1"]


def test_a_missing_source_pushes_nothing(tmp_path, source):
    serving = tmp_path / "serving"
    LocalVersionStore(serving).push({"a": source})
    with pytest.raises(TandemError, match="nothing was pushed"):
        LocalVersionStore(serving).push({"a": source, "b": tmp_path / "absent"})
    assert list_files(serving) == ["a/1/saved_model.pb", "a/1/variables/data"]


def test_a_failing_rename_reverts_the_others(tmp_path, source, monkeypatch):
    serving = tmp_path / "serving"
    LocalVersionStore(serving).push({"a": source, "b": source})
    rename = local_versions.pathlib.Path.rename

    def rename_a_alone(path, target):
        if path.parent.name == "b":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(local_versions.pathlib.Path, "rename", rename_a_alone)
    with pytest.raises(TandemError, match="No space left"):
        LocalVersionStore(serving).push({"a": source, "b": source})
    assert [path.name for path in (serving / "a").iterdir()] == ["1"]
    assert [path.name for path in (serving / "b").iterdir()] == ["1"]


def test_all_data_is_flushed_before_the_rename(tmp_path, source, monkeypatch):
    """Each file and folder of the copy, by its inode, is flushed before the first rename."""
    flushed, before = set(), []
    flush, rename = os.fsync, pathlib.Path.rename

    def record_flush(descriptor):
        flushed.add(os.fstat(descriptor).st_ino)
        flush(descriptor)

    def record_rename(path, target):
        before.append(set(flushed))
        return rename(path, target)

    monkeypatch.setattr(local_versions.os, "fsync", record_flush)
    monkeypatch.setattr(local_versions.pathlib.Path, "rename", record_rename)
    final = LocalVersionStore(tmp_path / "serving").push({"a": source, "b": source})
    for folder in map(pathlib.Path, final.values()):
        assert {path.stat().st_ino for path in [folder, *folder.rglob("*")]} <= before[0]
        assert folder.parent.stat().st_ino in flushed


def test_old_interrupted_copies_are_removed(tmp_path, source, monkeypatch):
    serving = tmp_path / "serving"
    (serving / "a" / ".tmp-1").mkdir(parents=True)
    (serving / "a" / ".tmp-1" / "stale").write_text("half a copy, or that of a push under way")
    LocalVersionStore(serving).push({"a": source})
    files = ["a/1/saved_model.pb", "a/1/variables/data"]
    assert list_files(serving) == ["a/.tmp-1/stale", *files]
    tomorrow = time.time() + 24 * 3600 + 60
    monkeypatch.setattr(local_versions.time, "time", lambda: tomorrow)
    LocalVersionStore(serving).push({"a": source})
    assert list_files(serving / "a" / "1") == ["saved_model.pb", "variables/data"]
    assert sorted(path.name for path in (serving / "a").iterdir()) == ["1", "2"]


def test_a_file_that_cannot_be_written_whole_pushes_nothing(tmp_path, source):
    """A limit of the operating system truncates the copy of the second model's large file."""
    serving = tmp_path / "serving"
    small = tmp_path / "small"
    small.mkdir()
    (small / "saved_model.pb").write_bytes(b"graph")
    LocalVersionStore(serving).push({"a": source, "b": source})
    script = """
        import pathlib, resource, sys
        from schema.errors import TandemError
        from serving.versions.local import LocalVersionStore
        small, source, serving = map(pathlib.Path, sys.argv[1:])
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        try:
            LocalVersionStore(serving).push({"a": small, "b": source})
        except TandemError as error:
            sys.exit(str(error))
    """
    completed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), small, source, serving],
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 1
    assert "File too large" in completed.stderr
    assert "nothing was pushed and earlier versions are untouched" in completed.stderr
    assert sorted(path.name for path in serving.glob("*/*")) == ["1", "1"]
    assert (serving / "b/1/variables/data").stat().st_size == 100_000


def test_skipped_folders_are_named_with_the_reason(tmp_path, monkeypatch):
    for name in ("1", "v2", "03", "0", "1.5", "9" * 19, "9" * 25, ".hidden", ".tmp-4"):
        (tmp_path / name).mkdir()
    (tmp_path / "7").write_text("no folder")
    (tmp_path / "README").write_text("nobody takes it for a version")
    number = (
        "a version's folder must be named by a number from 1 to 9223372036854775807 without "
        "leading zeros"
    )
    expected = dict.fromkeys(["v2", "03", "0", "1.5", "9" * 19, "9" * 25], number)
    assert explain_skipped(tmp_path) == expected | {"7": "it is not a folder"}
    monkeypatch.setattr(local_versions, "_COPY_SECONDS", -1.0)
    assert "interrupted" in explain_skipped(tmp_path)[".tmp-4"]
    assert LocalVersionStore(tmp_path.parent).list_versions(tmp_path.name) == [1]
    assert explain_skipped(tmp_path / "nowhere") == {}
