"""Checkpoints on an object store: complete after every interruption, and no more than necessary."""

import pathlib

import pytest

from schema.storage import object_store
from trainer.training.checkpoints import CheckpointFolder


def put(folder: CheckpointFolder, **files: str) -> None:
    for name, text in files.items():
        path = pathlib.Path(folder.path, "last", name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def take(folder: CheckpointFolder, name: str) -> None:
    pathlib.Path(folder.path, "last", name).unlink()


def test_another_machine_reads_what_was_saved(bucket):
    first = CheckpointFolder(f"{bucket}/kept")
    put(first, checkpoint="1", one="weights of 1")
    first.save()
    put(first, checkpoint="2", two="weights of 2")
    take(first, "one")
    first.save()
    second = CheckpointFolder(f"{bucket}/kept")
    result = pathlib.Path(second.path, "last")
    assert sorted(path.name for path in result.iterdir()) == ["checkpoint", "two"]
    assert (result / "checkpoint").read_text() == "2"


def test_an_interruption_leaves_the_previous_checkpoint_intact(bucket, monkeypatch):
    folder = CheckpointFolder(f"{bucket}/kept")
    put(folder, checkpoint="1", one="weights of 1")
    folder.save()
    put(folder, checkpoint="2", two="weights of 2", zwei="more of 2")
    take(folder, "one")
    upload = object_store.upload_file

    def broken(path, uri):
        if path.name == "zwei":
            raise OSError("gone")
        upload(path, uri)

    monkeypatch.setattr(object_store, "upload_file", broken)
    with pytest.raises(OSError, match="gone"):
        folder.save()
    again = CheckpointFolder(f"{bucket}/kept")
    last = pathlib.Path(again.path, "last")
    assert (last / "checkpoint").read_text() == "1"
    assert (last / "one").read_text() == "weights of 1"


def test_a_folder_of_this_machine_is_itself(tmp_path):
    folder = CheckpointFolder(str(tmp_path))
    put(folder, checkpoint="1")
    folder.save()
    assert folder.path == str(tmp_path)
