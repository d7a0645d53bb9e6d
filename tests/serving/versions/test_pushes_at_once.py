"""Simultaneous pushes to one serving directory: in a folder and in a bucket."""

import pathlib
import subprocess
import sys
import textwrap
import threading
from concurrent import futures

import pytest

from schema.storage import object_store
from schema.storage.locations import is_remote
from serving.versions import object_layout
from serving.versions.local import LocalVersionStore
from serving.versions.remote import RemoteVersionStore
from serving.versions.store import open_version_store

ROOT = pathlib.Path(__file__).resolve().parents[3]
MODELS = ("a", "b", "c")
FILES = ("saved_model.pb", "variables/data")


@pytest.fixture(params=["folder", "bucket"])
def serving(request, tmp_path):
    if request.param == "folder":
        return str(tmp_path / "serving")
    return f"{request.getfixturevalue('bucket')}/serving"


@pytest.fixture
def models(tmp_path):
    """models(text) -> a source folder of each model, with its name and the text in each file."""

    def write_models(text: str) -> dict[str, pathlib.Path]:
        for name in MODELS:
            for file in FILES:
                path = tmp_path / "sources" / text / name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{name} {text}")
        return {name: tmp_path / "sources" / text / name for name in MODELS}

    return write_models


def read_content(serving):
    """Content of all files, by name."""
    if is_remote(serving):
        names = object_store.list_files(serving)
        return {name: object_store.read(f"{serving}/{name}").decode() for name in names}
    paths = (path for path in pathlib.Path(serving).rglob("*") if path.is_file())
    return {str(path.relative_to(serving)): path.read_text() for path in paths}


def get_version(final):
    """The version that a push has created."""
    (version,) = {location.rpartition("/")[2] for location in final.values()}
    return version


def build_content(versions):
    """Content of a serving directory after pushes; `versions` maps a version to its text."""
    return {
        f"{name}/{version}/{file}": f"{name} {text}"
        for version, text in versions.items()
        for name in MODELS
        for file in FILES
    }


@pytest.mark.parametrize("pushers", [2, 8])
def test_each_push_has_its_own_complete_version(serving, models, pushers):
    sources = {f"push {number}": models(f"push {number}") for number in range(pushers)}
    start = threading.Barrier(pushers)

    def push(text):
        start.wait(30)
        return get_version(open_version_store(serving).push(sources[text]))

    with futures.ThreadPoolExecutor(pushers) as pool:
        versions = dict(zip(pool.map(push, sources), sources, strict=True))
    assert len(versions) == pushers
    assert read_content(serving) == build_content(versions)


PUSH = """
    import pathlib, sys
    from serving.versions.store import open_version_store
    models = {path.name: path for path in pathlib.Path(sys.argv[1]).iterdir()}
    print("ready", flush=True)
    sys.stdin.readline()
    print(open_version_store(sys.argv[2]).push(models)["a"].rpartition("/")[2])
"""


@pytest.mark.parametrize("pushers", [2, 8])
def test_pushes_from_several_processes(serving, models, pushers):
    processes = {}
    for number in range(pushers):
        source = models(f"push {number}")["a"].parent
        processes[f"push {number}"] = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PUSH), str(source), serving],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
    for process in processes.values():
        assert process.stdout.readline() == "ready\n"
    for process in processes.values():
        process.stdin.write("\n")
        process.stdin.flush()
    versions = {
        process.communicate(timeout=120)[0].strip(): text for text, process in processes.items()
    }
    assert len(versions) == pushers
    assert read_content(serving) == build_content(versions)


@pytest.fixture
def on_claim(monkeypatch):
    """Functions that are called with the URI before and after each claim is written."""
    calls = {"before": lambda uri: None, "after": lambda uri: None}
    store = object_store._store

    def store_with_callbacks(path, uri):
        if "/.pushes/" not in uri:
            store(path, uri)
            return
        calls["before"](uri)
        store(path, uri)
        calls["after"](uri)

    monkeypatch.setattr(object_store, "_store", store_with_callbacks)
    return calls


def test_two_pushes_claim_the_same_version(bucket, models, on_claim):
    both, claims = threading.Barrier(2), []

    def wait(uri):
        claims.append(uri.rpartition("/")[2].partition(".")[0])
        if len(claims) <= 2:
            both.wait(30)

    on_claim["after"] = wait
    sources = [models("one"), models("two")]
    with futures.ThreadPoolExecutor(2) as pool:
        pushes = [pool.submit(open_version_store(f"{bucket}/s").push, each) for each in sources]
        one, two = (get_version(push.result()) for push in pushes)
    assert claims[:2] == ["1", "1"]
    assert read_content(f"{bucket}/s") == build_content({one: "one", two: "two"})
    assert one != two


def test_a_push_that_completes_between_choice_and_claim_keeps_its_version(bucket, models, on_claim):
    first, second = models("first"), models("second")

    def push_the_other(uri):
        on_claim["before"] = lambda uri: None
        with futures.ThreadPoolExecutor(1) as pool:
            other = pool.submit(open_version_store(f"{bucket}/s").push, first).result()
        assert get_version(other) == uri.rpartition("/")[2].partition(".")[0] == "1"

    on_claim["before"] = push_the_other
    assert get_version(open_version_store(f"{bucket}/s").push(second)) == "2"
    assert read_content(f"{bucket}/s") == build_content({"1": "first", "2": "second"})


def test_a_push_in_progress_is_unaffected(bucket, models, monkeypatch):
    slow, fast = models("slow"), models("fast")
    reached, released = threading.Event(), threading.Event()
    store = object_store._store

    def store_when_released(path, uri):
        if path == slow["b"] / "saved_model.pb":
            reached.set()
            assert released.wait(60)
        store(path, uri)

    monkeypatch.setattr(object_store, "_store", store_when_released)
    with futures.ThreadPoolExecutor(1) as pool:
        push = pool.submit(open_version_store(f"{bucket}/s").push, slow)
        assert reached.wait(60)
        try:
            assert get_version(open_version_store(f"{bucket}/s").push(fast)) == "2"
            assert object_layout.list_models(f"{bucket}/s") == list(MODELS)
            assert RemoteVersionStore(f"{bucket}/s").find_latest("c") == 2
        finally:
            released.set()
        assert get_version(push.result()) == "1"
    assert read_content(f"{bucket}/s") == build_content({"1": "slow", "2": "fast"})


def test_a_version_that_another_push_has_used_is_avoided(tmp_path, models, monkeypatch):
    """Between the renames of a push, another process creates its version of a later model only."""
    original, other = pathlib.Path.rename, models("other")

    def rename(path, target):
        if target == tmp_path / "s" / "b" / "1":
            monkeypatch.setattr(pathlib.Path, "rename", original)
            target.parent.joinpath("1").mkdir()
            target.joinpath("other").write_text("other")
        return original(path, target)

    monkeypatch.setattr(pathlib.Path, "rename", rename)
    final = LocalVersionStore(tmp_path / "s").push(other)
    assert get_version(final) == "2"
    assert read_content(str(tmp_path / "s")) == build_content({"2": "other"}) | {
        "b/1/other": "other"
    }
    assert not list(tmp_path.glob("s/*/.tmp-*"))
