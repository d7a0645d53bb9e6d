"""The layout of --root, and when it contains a run."""

import os
import pathlib

import pytest

from pipeline.run_root import RunRoot, get_finished_root, open_local_root
from schema.errors import NoRunError, UsageError


def test_locations_are_the_documented_ones():
    at = RunRoot(pathlib.Path("/runs/shop"))
    paths = {
        "artifacts": at.artifacts,
        "metadata.sqlite": at.metadata,
        "serving": at.serving,
        "tensorboard": at.tensorboard,
        "rejected": at.rejected,
        "checkpoints": at.checkpoints,
        "run.log": at.log,
        "summary.json": at.summary,
    }
    assert paths == {name: pathlib.Path("/runs/shop", name) for name in paths}


def test_opening_creates_parent_folders_and_leaves_existing_files(tmp_path):
    root = tmp_path / "runs" / "shop"
    at = open_local_root(root)
    at.log.write_text("what happened before\n")
    assert open_local_root(root) == at
    assert at.log.read_text() == "what happened before\n"


def test_a_relative_root_is_the_same_folder_after_chdir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    at = open_local_root(pathlib.Path("run"))
    os.chdir("/")
    assert at.root == tmp_path / "run"


def test_a_file_cannot_be_opened_as_a_root(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match=r"file, received: .*; give another with --root"):
        open_local_root(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_root_is_finished_when_it_has_a_summary(tmp_path):
    at = open_local_root(tmp_path)
    at.serving.mkdir()
    with pytest.raises(NoRunError, match="found no summary.json there"):
        get_finished_root(tmp_path)
    at.summary.write_text("{}")
    assert get_finished_root(tmp_path) == at


def test_looking_up_a_run_creates_nothing(tmp_path):
    with pytest.raises(NoRunError):
        get_finished_root(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []
