"""Several pushes at the same moment to one serving directory: in a folder and in a bucket."""

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
    """models(text) -> a source of each model, whose files hold the model's name and the text."""

    def made(text: str) -> dict[str, pathlib.Path]:
        for name in MODELS:
            for file in FILES:
                path = tmp_path / "sources" / text / name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{name} {text}")
        return {name: tmp_path / "sources" / text / name for name in MODELS}

    return made


def content(serving):
    """Of all files below, by name."""
    if is_remote(serving):
        names = object_store.list_files(serving)
        return {name: object_store.read(f"{serving}/{name}").decode() for name in names}
    result = (path for path in pathlib.Path(serving).rglob("*") if path.is_file())
    return {str(path.relative_to(serving)): path.read_text() for path in result}


def pushed_as(final):
    """The version of a push."""
    (version,) = {location.rpartition("/")[2] for location in final.values()}
    return version


def whole(versions):
    """What lies in a serving directory after pushes of these texts, by version."""
    return {
        f"{name}/{version}/{file}": f"{name} {text}"
        for version, text in versions.items()
        for name in MODELS
        for file in FILES
    }


@pytest.mark.parametrize("pushers", [2, 8])
def test_each_has_a_version_of_its_own_and_whole(serving, models, pushers):
    sources = {f"push {number}": models(f"push {number}") for number in range(pushers)}
    start = threading.Barrier(pushers)

    def push(text):
        start.wait(30)
        return pushed_as(open_version_store(serving).push(sources[text]))

    with futures.ThreadPoolExecutor(pushers) as pool:
        versions = dict(zip(pool.map(push, sources), sources, strict=True))
    assert len(versions) == pushers
    assert content(serving) == whole(versions)


PUSH = """
    import pathlib, sys
    from serving.versions.store import open_version_store
    models = {path.name: path for path in pathlib.Path(sys.argv[1]).iterdir()}
    print("ready", flush=True)
    sys.stdin.readline()
    print(open_version_store(sys.argv[2]).push(models)["a"].rpartition("/")[2])
"""


@pytest.mark.parametrize("pushers", [2, 8])
def test_from_several_processes_too(serving, models, pushers):
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
    assert content(serving) == whole(versions)


@pytest.fixture
def on_claim(monkeypatch):
    """What is put there is called, with the URI, before and after each claim is written."""
    calls = {"before": lambda uri: None, "after": lambda uri: None}
    store = object_store._store

    def stored(path, uri):
        if "/.pushes/" not in uri:
            store(path, uri)
            return
        calls["before"](uri)
        store(path, uri)
        calls["after"](uri)

    monkeypatch.setattr(object_store, "_store", stored)
    return calls


def test_two_that_claim_the_same_version_before_either_looks(bucket, models, on_claim):
    both, claims = threading.Barrier(2), []

    def wait(uri):
        claims.append(uri.rpartition("/")[2].partition(".")[0])
        if len(claims) <= 2:
            both.wait(30)

    on_claim["after"] = wait
    sources = [models("one"), models("two")]
    with futures.ThreadPoolExecutor(2) as pool:
        pushes = [pool.submit(open_version_store(f"{bucket}/s").push, each) for each in sources]
        one, two = (pushed_as(push.result()) for push in pushes)
    assert claims[:2] == ["1", "1"]
    assert content(f"{bucket}/s") == whole({one: "one", two: "two"})
    assert one != two


def test_a_push_that_ended_between_choice_and_claim_keeps_its_version(bucket, models, on_claim):
    first, second = models("first"), models("second")

    def push_the_other(uri):
        on_claim["before"] = lambda uri: None
        with futures.ThreadPoolExecutor(1) as pool:
            other = pool.submit(open_version_store(f"{bucket}/s").push, first).result()
        assert pushed_as(other) == uri.rpartition("/")[2].partition(".")[0] == "1"

    on_claim["before"] = push_the_other
    assert pushed_as(open_version_store(f"{bucket}/s").push(second)) == "2"
    assert content(f"{bucket}/s") == whole({"1": "first", "2": "second"})


def test_a_push_under_way_is_left_alone(bucket, models, monkeypatch):
    slow, fast = models("slow"), models("fast")
    reached, go_on = threading.Event(), threading.Event()
    store = object_store._store

    def halting(path, uri):
        if path == slow["b"] / "saved_model.pb":
            reached.set()
            assert go_on.wait(60)
        store(path, uri)

    monkeypatch.setattr(object_store, "_store", halting)
    with futures.ThreadPoolExecutor(1) as pool:
        push = pool.submit(open_version_store(f"{bucket}/s").push, slow)
        assert reached.wait(60)
        try:
            assert pushed_as(open_version_store(f"{bucket}/s").push(fast)) == "2"
            assert object_layout.list_models(f"{bucket}/s") == list(MODELS)
            assert RemoteVersionStore(f"{bucket}/s").find_latest("c") == 2
        finally:
            go_on.set()
        assert pushed_as(push.result()) == "1"
    assert content(f"{bucket}/s") == whole({"1": "slow", "2": "fast"})


def test_a_version_that_another_has_for_one_model_is_no_ones_half(tmp_path, models, monkeypatch):
    """Between the renames of a push another takes its version, of a later model alone."""
    original, other = pathlib.Path.rename, models("other")

    def rename(path, target):
        if target == tmp_path / "s" / "b" / "1":
            monkeypatch.setattr(pathlib.Path, "rename", original)
            target.parent.joinpath("1").mkdir()
            target.joinpath("other").write_text("other")
        return original(path, target)

    monkeypatch.setattr(pathlib.Path, "rename", rename)
    final = LocalVersionStore(tmp_path / "s").push(other)
    assert pushed_as(final) == "2"
    assert content(str(tmp_path / "s")) == whole({"2": "other"}) | {"b/1/other": "other"}
    assert not list(tmp_path.glob("s/*/.tmp-*"))
