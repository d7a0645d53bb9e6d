import os
import pathlib

import pytest

from schema.errors import UsageError
from serving.server import batching_config
from serving.server.batching_config import BatchingConfig

DEPLOY = pathlib.Path(__file__).resolve().parents[3] / "deploy"


def read(tmp_path, text):
    path = tmp_path / "batching.config"
    path.write_text(text)
    return batching_config.read(path)


def test_every_number_is_read(tmp_path):
    text = """
        max_batch_size { value: 8 } batch_timeout_micros { value: 2500 }
        max_enqueued_batches { value: 3 } num_batch_threads { value: 5 }
        thread_pool_name { value: "x" } pad_variable_length_inputs: true"""
    contents = read(tmp_path, text)
    assert contents == BatchingConfig(8, 0.0025, 3, 5, True, sizes=())
    assert contents.most_waiting == 24


def test_an_empty_file_has_the_defaults_of_tensorflow_serving(tmp_path):
    assert read(tmp_path, "") == BatchingConfig(1000, 0.0, 10, os.cpu_count() or 1, False, sizes=())


def test_joined_calls_are_filled_up_to_the_sizes_that_are_allowed(tmp_path):
    text = "max_batch_size { value: 8 } allowed_batch_sizes: [2, 4, 8]"
    contents = read(tmp_path, text)
    assert [contents.padded_rows(rows) for rows in (1, 2, 3, 5, 8, 9)] == [2, 2, 4, 8, 8, 9]


def test_the_file_of_deploy_is_read():
    assert batching_config.read(DEPLOY / "batching.config").max_batch_size == 32


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_batch_size { value: 0 }", "max_batch_size of at least 1"),
        ("num_batch_threads { value: -1 }", "num_batch_threads of at least 1"),
        ("batch_timeout_micros { value: -1 }", "batch_timeout_micros of at least 0"),
        ("allowed_batch_sizes: [4, 8]", r"ascend to max_batch_size, 1000, received \[4, 8\]"),
        ("allowed_batch_sizes: [8, 4, 1000]", r"received \[8, 4, 1000\]"),
        ("nonsense", "text proto of tensorflow.serving.BatchingParameters"),
    ],
)
def test_an_ambiguous_value_is_named(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        read(tmp_path, text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match="nowhere"):
        batching_config.read(tmp_path / "nowhere")
