"""A push to a bucket: step by step, interrupted, and killed."""

import datetime
import pathlib
import signal
import subprocess
import sys
import textwrap

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from schema.errors import TandemError
from schema.storage import object_store
from serving.versions import object_layout
from serving.versions.remote import RemoteVersionStore

TWO_DAYS = datetime.timedelta(days=2)
ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "data").write_bytes(b"weights")
    (tmp_path / "origin.json").write_bytes(b"origin")
    return folder


@pytest.fixture
def push_models(source, bucket):
    """push_models() -> the locations of the models."""

    def push() -> dict[str, str]:
        extra_files = {"b": {"assets.extra/origin.json": source.parent / "origin.json"}}
        return RemoteVersionStore(f"{bucket}/s").push({"a": source, "b": source}, extra_files)

    return push


FILES = [
    "a/1/saved_model.pb", "a/1/variables/data", "b/1/assets.extra/origin.json",
    "b/1/saved_model.pb", "b/1/variables/data",
]  # fmt: skip


def test_a_push_is_complete(push_models, bucket):
    assert push_models() == {"a": f"{bucket}/s/a/1", "b": f"{bucket}/s/b/1"}
    assert object_store.list_files(f"{bucket}/s") == FILES
    assert object_layout.list_models(f"{bucket}/s") == ["a", "b"]
    assert RemoteVersionStore(f"{bucket}/s").find_latest("b") == 1


def test_without_a_push_there_is_no_version(bucket):
    assert object_layout.list_models(f"{bucket}/s") == []
    assert RemoteVersionStore(f"{bucket}/s").find_latest("a") is None


@pytest.fixture
def uploads(monkeypatch):
    """Names of objects in the order of writing, and (name, error) of a write that is to fail."""
    calls: list[str] = []
    store = object_store._store
    broken: list[tuple[str, type[BaseException]]] = []

    def record_store(path, uri):
        if broken and uri.endswith(broken[0][0]):
            raise broken[0][1]("the store is gone")
        store(path, uri)
        if "/.pushes/" not in uri:
            calls.append(uri)

    monkeypatch.setattr(object_store, "_store", record_store)
    return calls, broken


def test_the_graph_is_written_last(push_models, uploads):
    push_models()
    batch, _ = uploads
    assert [name.rpartition("/s/")[2] for name in batch[-2:]] == [
        "a/1/saved_model.pb", "b/1/saved_model.pb",
    ]  # fmt: skip
    assert len(batch) == len(FILES)


@pytest.mark.parametrize("last", ["a/2/variables/data", "b/2/saved_model.pb"])
def test_a_failing_store_leaves_the_previous_version(push_models, bucket, uploads, last):
    push_models()
    uploads[1].append((last, OSError))
    with pytest.raises(TandemError, match="the store is gone; nothing was pushed"):
        push_models()
    assert object_store.list_files(f"{bucket}/s") == FILES
    assert RemoteVersionStore(f"{bucket}/s").find_latest("a") == 1


def test_an_interrupted_push_leaves_the_previous_version(push_models, bucket, uploads):
    push_models()
    uploads[1].append(("b/2/saved_model.pb", KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        push_models()
    assert object_store.list_files(f"{bucket}/s") == FILES


def make_old(uri):
    """Sets the object's time of writing two days back."""
    name, _, key = uri.removeprefix("s3://").partition("/")
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[name].keys[key].last_modified -= TWO_DAYS


KILLED = """
    import os, pathlib, signal, sys
    from schema.storage import object_store
    from serving.versions.remote import RemoteVersionStore
    source, serving, last = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    store = object_store._store

    def killed(path, uri):
        if uri.endswith(last):
            os.kill(os.getpid(), signal.SIGKILL)
        store(path, uri)

    object_store._store = killed
    RemoteVersionStore(serving).push({"a": source, "b": source})
"""


def test_a_killed_push_is_not_listed_and_is_removed_after_a_day(push_models, source, bucket):
    push_models()
    command = [sys.executable, "-c", textwrap.dedent(KILLED)]
    arguments = [str(source), f"{bucket}/s", "a/2/saved_model.pb"]
    completed = subprocess.run([*command, *arguments], check=False, cwd=ROOT)
    assert completed.returncode == -signal.SIGKILL
    assert "b/2/variables/data" in object_store.list_files(f"{bucket}/s")
    assert RemoteVersionStore(f"{bucket}/s").find_latest("a") == 1
    assert RemoteVersionStore(f"{bucket}/s").find_latest("b") == 1
    assert push_models()["b"] == f"{bucket}/s/b/3"
    remaining = object_store.list_files(f"{bucket}/s")
    assert "b/2/variables/data" in remaining
    (claim,) = (name for name in remaining if name.startswith(".pushes/2."))
    make_old(f"{bucket}/s/{claim}")
    assert push_models()["b"] == f"{bucket}/s/b/4"
    remaining = object_store.list_files(f"{bucket}/s")
    assert not [name for name in remaining if "/2/" in name or ".pushes" in name]
    assert RemoteVersionStore(f"{bucket}/s").find_latest("b") == 4


def test_half_a_version_cannot_be_fetched(push_models, bucket, tmp_path):
    push_models()
    object_store.remove(f"{bucket}/s/a/1/saved_model.pb")
    with pytest.raises(FileNotFoundError, match=r"a/1 has no saved_model\.pb"):
        object_layout.fetch(f"{bucket}/s", "a", 1, tmp_path / "copy")
    object_layout.fetch(f"{bucket}/s", "b", 1, tmp_path / "copy")
    assert (tmp_path / "copy" / "variables" / "data").read_bytes() == b"weights"


def test_a_copy_of_one_version_is_a_serving_directory(push_models, bucket, tmp_path):
    push_models()
    with RemoteVersionStore(f"{bucket}/s").open_copy("b", 1) as folder:
        assert (folder / "b" / "1" / "assets.extra" / "origin.json").read_bytes() == b"origin"
    assert not folder.exists()


def test_a_push_to_googles_store(gs_bucket, source, tmp_path):
    serving = f"{gs_bucket}/s"
    RemoteVersionStore(serving).push({"a": source, "b": source})
    assert object_layout.list_models(serving) == ["a", "b"]
    object_store.remove(f"{serving}/b/1/saved_model.pb")
    assert (
        RemoteVersionStore(serving).find_latest("a"),
        RemoteVersionStore(serving).find_latest("b"),
    ) == (1, None)
    RemoteVersionStore(serving).push({"a": source, "b": source})
    assert not [name for name in object_store.list_files(serving) if name.startswith(("b/1/", "."))]
    object_layout.fetch(serving, "b", 2, tmp_path / "copy")
    assert (tmp_path / "copy" / "variables" / "data").read_bytes() == b"weights"
