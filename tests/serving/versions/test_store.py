"""A folder and a bucket behind one interface: the same calls give the same results."""

import pytest

from schema.errors import TandemError
from serving.versions.store import VersionStore, open_version_store


@pytest.fixture(params=["folder", "bucket"])
def location(request, tmp_path):
    """The serving directory's path or URL."""
    if request.param == "folder":
        return str(tmp_path / "serving")
    return f"{request.getfixturevalue('bucket')}/serving"


@pytest.fixture
def store(location) -> VersionStore:
    return open_version_store(location)


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "data").write_bytes(b"weights")
    return folder


def test_a_push_is_the_latest_version_of_each_model(store, location, model):
    assert store.find_latest("a") is None
    assert store.push({"a": model}) == {"a": f"{location}/a/1"}
    pushed = store.push({"a": model, "b": model})
    assert pushed == {"a": f"{location}/a/2", "b": f"{location}/b/2"}
    assert (store.find_latest("a"), store.find_latest("b")) == (2, 2)
    assert store.find_latest("c") is None
    assert store.locate("b", 2) == pushed["b"]


def test_extra_files_are_read_back(store, model, tmp_path):
    (tmp_path / "origin.json").write_bytes(b"origin")
    (tmp_path / "candidates").mkdir()
    (tmp_path / "candidates" / "ids").write_bytes(b"i1")
    extra = {
        "assets.extra/origin.json": tmp_path / "origin.json",
        "assets.extra/candidates": tmp_path / "candidates",
    }
    store.push({"a": model, "b": model}, {"b": extra})
    assert store.read_file("b", 1, "assets.extra/origin.json") == b"origin"
    assert store.read_file("b", 1, "assets.extra/candidates/ids") == b"i1"
    with pytest.raises(FileNotFoundError):
        store.read_file("a", 1, "assets.extra/origin.json")


def test_a_copy_and_a_followed_store_are_serving_directories(store, model):
    store.push({"a": model})
    store.push({"a": model, "b": model})
    with store.open_copy("a", 1) as folder:
        assert (folder / "a" / "1" / "variables" / "data").read_bytes() == b"weights"
    with store.follow() as folder:
        assert (folder / "a" / "2" / "saved_model.pb").read_bytes() == b"graph"
        assert (folder / "b" / "2" / "saved_model.pb").read_bytes() == b"graph"


def test_a_source_that_is_missing_pushes_nothing(store, model, tmp_path):
    store.push({"a": model})
    with pytest.raises(TandemError, match="nothing was pushed and earlier versions are untouched"):
        store.push({"a": model, "b": tmp_path / "absent"})
    assert (store.find_latest("a"), store.find_latest("b")) == (1, None)
