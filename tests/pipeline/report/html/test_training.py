"""Event files as written by Keras, read back; trainings that share a folder are kept separate."""

import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.html.training import read_curves, select_latest_training


def plant(folder, tag: str, values: list[float], first: int = 0) -> None:
    with tf.summary.create_file_writer(str(folder)).as_default():
        for step, value in enumerate(values, first):
            tf.summary.scalar(tag, value, step=step)


def test_runs_and_metrics_have_their_names(tmp_path):
    plant(tmp_path / "train", "epoch_loss", [2.0, 1.5])
    plant(tmp_path / "validation", "epoch_ndcg@10", [0.25])
    plant(tmp_path / "validation", "evaluation_loss_vs_iterations", [3.0])
    assert read_curves(tmp_path) == {
        "train": {"loss": [(0, 2.0), (1, 1.5)]},
        "validation": {"ndcg@10": [(0, 0.25)]},
    }


def test_a_stage_that_wrote_nothing_has_no_curves(tmp_path):
    assert read_curves(tmp_path / "ranking") == {}


def test_a_shorter_training_replaces_a_longer_one(tmp_path):
    plant(tmp_path / "train", "epoch_loss", [8.0, 7.0, 6.0])
    plant(tmp_path / "train", "epoch_loss", [4.0, 2.0])
    assert read_curves(tmp_path)["train"]["loss"] == [(0, 4.0), (1, 2.0)]


def test_a_resumed_training_keeps_the_earlier_epochs():
    written = [(1.0, 0, 8.0), (2.0, 1, 7.0), (3.0, 2, 6.0), (9.0, 1, 5.0)]
    assert select_latest_training(written) == [(0, 8.0), (1, 5.0)]


@given(st.permutations([(float(time), time, time / 2) for time in range(6)]))
def test_the_order_of_files_does_not_matter(written):
    assert select_latest_training(written) == [(step, step / 2) for step in range(6)]
