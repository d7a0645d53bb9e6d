"""Files of a run at a shared root, in a folder and in a bucket."""

import pathlib

import pytest

from pipeline.kubeflow import root_files
from schema.storage import object_store
from schema.storage.locations import is_remote


@pytest.fixture(params=["folder", "bucket"])
def root(request, tmp_path):
    if request.param == "folder":
        return str(tmp_path / "shop")
    return f"{request.getfixturevalue('bucket')}/shop"


def content(root):
    """The files at the root by name."""
    if is_remote(root):
        return {name: object_store.read(f"{root}/{name}") for name in object_store.list_files(root)}
    result = (path for path in pathlib.Path(root).rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in result}


def publish(root, **files):
    """File names with two underscores for each slash and one for each full stop."""
    with root_files.publish_root(root) as at:
        for name, text in files.items():
            path = at.root / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def publish_missing(root):
    with root_files.publish_root(root) as at:
        at.report.write_text("2")
        (at.root / "missing").read_text()


def test_written_files_are_at_the_root_after_the_block(root):
    with root_files.publish_root(root) as at:
        at.summary.write_text("{}")
        at.rejected.joinpath("items").mkdir(parents=True)
        at.rejected.joinpath("items", "part.jsonl").write_text("line")
        assert at.location == root
        assert content(root) == {}
    assert content(root) == {"summary.json": b"{}", "rejected/items/part.jsonl": b"line"}


def test_no_file_of_an_earlier_run_remains(root):
    publish(
        root, rejected__part_jsonl="1", statistics__items_html="1",
        tensorboard__retrieval__train__events="1", tensorboard__quality__popular__events="1",
        serving__recommender__1__saved_model="1", report_html="1",
    )  # fmt: skip
    publish(root, report_html="2", tensorboard__quality__popular__events_2="2")
    assert content(root) == {
        "report.html": b"2",
        "serving/recommender/1/saved.model": b"1",
        "tensorboard/quality/popular/events": b"1",
        "tensorboard/quality/popular/events.2": b"2",
    }


def test_a_run_that_fails_leaves_the_root_unchanged(root):
    publish(root, report_html="1", rejected__part_jsonl="1")
    before = content(root)
    with pytest.raises(FileNotFoundError):
        publish_missing(root)
    assert content(root) == before


def test_the_summary_comes_last(root, monkeypatch):
    put = []
    original = root_files.copy_file

    def noting(path, position):
        put.append(path.name)
        original(path, position)

    monkeypatch.setattr(root_files, "copy_file", noting)
    publish(root, summary_json="{}", report_html="1", zoo="1")
    assert put[-1] == "summary.json"
    assert sorted(put) == ["report.html", "summary.json", "zoo"]


def test_files_of_a_task_are_copied(root, tmp_path):
    publish(root, rejected__items__a_jsonl="1")
    root_files.copy_folder(f"{root}/rejected", tmp_path / "here")
    root_files.copy_folder(f"{root}/nothing", tmp_path / "here")
    (result,) = (path for path in (tmp_path / "here").rglob("*") if path.is_file())
    assert result == tmp_path / "here" / "items" / "a.jsonl"
