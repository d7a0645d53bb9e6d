"""Folders with wildcards in their names are accessed through a link."""

import pathlib

import pytest
import tensorflow as tf
from apache_beam.io.filesystems import FileSystems

from schema.storage import plain_path


@pytest.mark.parametrize("name", ["[1]", "a*", "who?", "back\\slash"])
def test_a_name_with_wildcards_is_found_through_its_link(tmp_path, name):
    (tmp_path / name / "two words").mkdir(parents=True)
    (tmp_path / name / "two words" / "x.csv").write_text("content")
    path = plain_path.link(f"{tmp_path}/{name}/two words")
    assert not set("*?[\\") & set(path)
    assert [pathlib.Path(file).read_text() for file in tf.io.gfile.glob(f"{path}/*")] == ["content"]
    (match,) = FileSystems.match([f"{path}/*.csv"])
    assert [file.path for file in match.metadata_list] == [f"{path}/x.csv"]
    assert plain_path.resolve(f"{path}/x.csv") == f"{tmp_path}/{name}/two words/x.csv"


def test_a_folder_below_a_link_can_be_created_later(tmp_path):
    (tmp_path / "[1]").mkdir()
    tf.io.gfile.makedirs(plain_path.link(f"{tmp_path}/[1]/checkpoints/2"))
    assert (tmp_path / "[1]" / "checkpoints" / "2").is_dir()


@pytest.mark.parametrize("path", ["/a b/#é", "s3://bucket/[1]/x", "relative/x"])
def test_other_paths_are_unchanged(path):
    assert plain_path.link(path) == path
    assert plain_path.resolve(path) == path


def test_variables_are_restored_from_a_folder_with_such_a_name(tmp_path):
    """TensorFlow's op interprets the name as a glob and finds no file; so the link is needed."""
    folder = tmp_path / "[1]"
    tf.train.Checkpoint(x=tf.Variable(3.0)).write(str(folder / "saved"))
    restored = tf.train.Checkpoint(x=tf.Variable(0.0))
    restored.read(plain_path.link(f"{folder}/saved")).assert_consumed()
    assert float(restored.x) == 3.0
