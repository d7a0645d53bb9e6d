"""The operations of TFX's launcher on folders at s3://."""

import pytest
from tfx.dsl.io import fileio

from components.artifacts import s3_filesystem
from schema.storage import object_store


@pytest.fixture(autouse=True)
def registered():
    s3_filesystem.register()


def test_a_created_folder_exists(bucket):
    folder = f"{bucket}/run/Trainer/model/7"
    assert not fileio.exists(folder)
    fileio.makedirs(folder)
    assert fileio.exists(folder)
    assert fileio.isdir(folder)
    fileio.makedirs(folder)
    fileio.rmtree(folder)
    assert not fileio.exists(folder)
    with pytest.raises(fileio.NotFoundError):
        fileio.rmtree(folder)


def test_an_object_is_read_and_removed(bucket, tmp_path):
    (tmp_path / "file").write_text("wörter")
    object_store.upload_file(tmp_path / "file", f"{bucket}/a/b")
    assert fileio.isdir(f"{bucket}/a")
    assert not fileio.isdir(f"{bucket}/a/b")
    with fileio.open(f"{bucket}/a/b") as file:
        assert file.read() == "wörter"
    with fileio.open(f"{bucket}/a/b", "rb") as file:
        assert file.read() == "wörter".encode()
    fileio.remove(f"{bucket}/a/b")
    assert not fileio.exists(f"{bucket}/a/b")


def test_local_paths_still_use_tensorflow(tmp_path):
    fileio.makedirs(str(tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b").is_dir()
