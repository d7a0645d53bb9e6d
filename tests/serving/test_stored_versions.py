"""A push to a bucket, watched step by step, broken off, and killed."""

import pathlib
import signal
import subprocess
import sys
import textwrap

import pytest

from schema import object_store
from schema.errors import TandemError
from serving import stored_versions

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "data").write_bytes(b"weights")
    (tmp_path / "origin.json").write_bytes(b"origin")
    return folder


@pytest.fixture
def pushed(source, bucket):
    """push(version) -> where the models are."""

    def push(version: int) -> dict[str, str]:
        beside = {"b": {"assets.extra/origin.json": source.parent / "origin.json"}}
        return stored_versions.push({"a": source, "b": source}, f"{bucket}/s", version, beside)

    return push


FILES = [
    "a/1/saved_model.pb", "a/1/variables/data", "b/1/assets.extra/origin.json",
    "b/1/saved_model.pb", "b/1/variables/data",
]  # fmt: skip


def test_a_push_is_there_whole(pushed, bucket):
    assert pushed(1) == {"a": f"{bucket}/s/a/1", "b": f"{bucket}/s/b/1"}
    assert object_store.files(f"{bucket}/s") == FILES
    assert stored_versions.models(f"{bucket}/s") == ["a", "b"]
    assert stored_versions.latest(f"{bucket}/s", "b") == 1
    assert stored_versions.next_version(f"{bucket}/s") == 2


def test_where_nothing_was_pushed_the_first_version_is_1(bucket):
    assert stored_versions.models(f"{bucket}/s") == []
    assert stored_versions.latest(f"{bucket}/s", "a") is None
    assert stored_versions.next_version(f"{bucket}/s") == 1


@pytest.fixture
def uploads(monkeypatch):
    """Names of objects in the order in which they were written; `break_at` ends at one."""
    seen: list[str] = []
    store = object_store._store
    broken: list[tuple[str, type[BaseException]]] = []

    def noted(path, uri):
        if broken and uri.endswith(broken[0][0]):
            raise broken[0][1]("the store is gone")
        store(path, uri)
        seen.append(uri)

    monkeypatch.setattr(object_store, "_store", noted)
    return seen, broken


def test_what_makes_a_version_is_written_when_all_else_of_the_push_is_there(pushed, uploads):
    pushed(1)
    seen, _ = uploads
    assert [name.rpartition("/s/")[2] for name in seen[-2:]] == [
        "a/1/saved_model.pb", "b/1/saved_model.pb",
    ]  # fmt: skip
    assert len(seen) == len(FILES)


@pytest.mark.parametrize("last", ["a/2/variables/data", "b/2/saved_model.pb"])
def test_a_store_that_fails_leaves_what_was_pushed_before(pushed, bucket, uploads, last):
    pushed(1)
    uploads[1].append((last, OSError))
    with pytest.raises(TandemError, match="the store is gone; nothing was pushed"):
        pushed(2)
    assert object_store.files(f"{bucket}/s") == FILES
    assert stored_versions.latest(f"{bucket}/s", "a") == 1


def test_an_interrupted_push_leaves_what_was_pushed_before(pushed, bucket, uploads):
    pushed(1)
    uploads[1].append(("b/2/saved_model.pb", KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        pushed(2)
    assert object_store.files(f"{bucket}/s") == FILES


KILLED = """
    import os, pathlib, signal, sys
    from schema import object_store
    from serving import stored_versions
    source, serving, last = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    store = object_store._store

    def killed(path, uri):
        if uri.endswith(last):
            os.kill(os.getpid(), signal.SIGKILL)
        store(path, uri)

    object_store._store = killed
    stored_versions.push({"a": source, "b": source}, serving, 2, {})
"""


def test_half_of_a_push_that_was_killed_is_no_version_and_goes_with_the_next(
    pushed, source, bucket
):
    pushed(1)
    command = [sys.executable, "-c", textwrap.dedent(KILLED)]
    where = [str(source), f"{bucket}/s", "a/2/saved_model.pb"]
    done = subprocess.run([*command, *where], check=False, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    assert "b/2/variables/data" in object_store.files(f"{bucket}/s")
    assert stored_versions.latest(f"{bucket}/s", "a") == 1
    assert stored_versions.latest(f"{bucket}/s", "b") == 1
    assert stored_versions.next_version(f"{bucket}/s") == 3
    pushed(3)
    left = object_store.files(f"{bucket}/s")
    assert not [name for name in left if "/2/" in name]
    assert stored_versions.latest(f"{bucket}/s", "b") == 3


def test_half_a_version_cannot_be_fetched(pushed, bucket, tmp_path):
    pushed(1)
    object_store.remove(f"{bucket}/s/a/1/saved_model.pb")
    with pytest.raises(FileNotFoundError, match=r"a/1 has no saved_model\.pb"):
        stored_versions.fetch(f"{bucket}/s", "a", 1, tmp_path / "copy")
    stored_versions.fetch(f"{bucket}/s", "b", 1, tmp_path / "copy")
    assert (tmp_path / "copy" / "variables" / "data").read_bytes() == b"weights"


def test_one_version_is_a_serving_directory_of_its_own(pushed, bucket, tmp_path):
    pushed(1)
    with stored_versions.local(f"{bucket}/s", "b", "1") as folder:
        assert (folder / "b" / "1" / "assets.extra" / "origin.json").read_bytes() == b"origin"
    assert not folder.exists()
    with stored_versions.local(str(tmp_path), "b", "1") as folder:
        assert folder == tmp_path


def test_a_push_to_googles_store(gs_bucket, source, tmp_path):
    serving = f"{gs_bucket}/s"
    assert stored_versions.next_version(serving) == 1
    stored_versions.push({"a": source, "b": source}, serving, 1, {})
    assert stored_versions.models(serving) == ["a", "b"]
    object_store.remove(f"{serving}/b/1/saved_model.pb")
    assert (stored_versions.latest(serving, "a"), stored_versions.latest(serving, "b")) == (1, None)
    stored_versions.push({"a": source, "b": source}, serving, 2, {})
    assert not [name for name in object_store.files(serving) if name.startswith("b/1/")]
    stored_versions.fetch(serving, "b", 2, tmp_path / "copy")
    assert (tmp_path / "copy" / "variables" / "data").read_bytes() == b"weights"
