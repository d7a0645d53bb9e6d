"""TensorBoard output of both stages."""

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
from tensorboard.plugins import projector
from tensorboard.plugins.hparams import api as hparams

_PROFILED_STEPS = (20, 40)
_PROJECTED = 10_000  # more points make the projector's page too slow


def create_scalars_callback(folder: str, profile: bool = False) -> tf.keras.callbacks.TensorBoard:
    """Keras' callback without its graph option, which fails on the installed TensorFlow."""
    return tf.keras.callbacks.TensorBoard(
        folder,
        write_graph=False,
        update_freq="epoch",
        profile_batch=_PROFILED_STEPS if profile else 0,
    )


def write_graph(model: tfrs.Model, batches: tf.data.Dataset, folder: str) -> None:
    """Writes the graph of the loss for the element type of `batches`."""
    step = tf.function(lambda inputs: model.compute_loss(inputs, training=True), autograph=False)
    with _open_train_run(folder):
        tf.summary.graph(step.get_concrete_function(batches.element_spec).graph)


def write_hyper_parameters(
    values: Mapping[str, object], folder: str, metrics: tuple[str, ...]
) -> None:
    """Writes the run's hyper-parameters, shown with `metrics` of the validation run."""
    plain = {
        name: value if isinstance(value, bool | int | float | str) else str(value)
        for name, value in values.items()
    }
    with _open_train_run(folder):
        hparams.hparams_config(
            hparams=[hparams.HParam(name) for name in plain],
            metrics=[hparams.Metric(f"epoch_{name}", group="validation") for name in metrics],
        )
        hparams.hparams(plain)


def write_baselines(baselines: Mapping[str, Mapping[str, float]], folder: str, epochs: int) -> None:
    """Writes each baseline's metrics as a constant line, in a run of its own."""
    for name, metrics in baselines.items():
        with tf.summary.create_file_writer(f"{folder}/{name}").as_default():
            for metric, value in metrics.items():
                for epoch in range(epochs):
                    tf.summary.scalar(f"epoch_{metric}", value, step=epoch)


def write_projector(
    titles: np.ndarray, vectors: np.ndarray, counts: np.ndarray, folder: str
) -> None:
    """Writes vectors and titles of the most popular items for TensorBoard's projector.

    Args:
        titles: [n] bytes objects.
        vectors: [n, dim] item vectors, written with 5 significant digits.
        counts: [n] events of each item.
        folder: TensorBoard folder of the run.
    """
    chosen = np.argsort(-counts, kind="stable")[:_PROJECTED]
    run = f"{folder}/train"
    tf.io.gfile.makedirs(run)
    with tf.io.gfile.GFile(f"{run}/candidates.tsv", "w") as file:
        for item in chosen:
            file.write("\t".join(f"{x:.5g}" for x in vectors[item]) + "\n")
    with tf.io.gfile.GFile(f"{run}/titles.tsv", "w") as file:
        file.write("title\tevents\n")
        for item in chosen:
            file.write(f"{_format_cell(titles[item])}\t{counts[item]}\n")
    config: Any = projector.ProjectorConfig()
    config.embeddings.add(
        tensor_name="candidates", tensor_path="candidates.tsv", metadata_path="titles.tsv"
    )
    projector.visualize_embeddings(run, config)


def _format_cell(title: bytes) -> str:
    return " ".join(title.decode("utf-8", "replace").split())


def _open_train_run(folder: str) -> contextlib.AbstractContextManager[Any]:
    return tf.summary.create_file_writer(f"{folder}/train").as_default()
