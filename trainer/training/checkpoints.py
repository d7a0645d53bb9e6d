"""Checkpoints of a training and of its best weights, in a folder or on an object store."""

import json
import math
import pathlib
import tempfile
from typing import Any

import tensorflow as tf

from schema.errors import TandemError, TrainingDiverged
from schema.storage import object_store, plain_path
from schema.storage.locations import is_remote

EpochLogs = dict[str, float]
_LATEST = "checkpoint"
"""TensorFlow's name for the file that says which checkpoint is the latest."""


class TrainingState(tf.keras.callbacks.Callback):
    """Early stopping whose state outlives the process.

    After each epoch the weights, the optimizer and what every epoch measured are saved as one
    checkpoint: it is there whole or not at all. The best weights are a checkpoint of their own,
    saved before it. (Keras' BackupAndRestore keeps no state of EarlyStopping, whose best weights
    and patience would begin anew after an interruption.)
    """

    def __init__(
        self, model: tf.keras.Model, folder: str, monitor: str, mode: str, patience: int
    ) -> None:
        """`folder` is a path or a URL, `mode` "max" or "min". The `model` is compiled and has all
        its variables.
        """
        super().__init__()
        self._monitor = monitor
        self._sign = 1.0 if mode == "max" else -1.0
        self._patience = patience
        self._logs = tf.Variable("[]", dtype=tf.string, name="logs")
        self._writes = model.distribute_strategy.extended.should_checkpoint
        self._folder = CheckpointFolder(folder)
        weights = list_weights(model)
        with model.distribute_strategy.scope():
            model.optimizer.build(model.trainable_variables)
        self._last = _create_manager(
            f"{self._folder.path}/last", weights=weights, optimizer=model.optimizer, logs=self._logs
        )
        self._best = _create_manager(f"{self._folder.path}/best", weights=weights)

    @property
    def logs(self) -> list[EpochLogs]:
        """What each finished epoch measured, those of earlier processes first."""
        return json.loads(self._logs.numpy())

    @property
    def history(self) -> dict[str, list[float]]:
        """The same by name, as Keras has it."""
        logs = self.logs
        return {name: [epoch[name] for epoch in logs] for name in logs[0]}

    @property
    def best_epoch(self) -> int:
        """Index of the epoch with the best value, the first of equals."""
        values = [self._sign * epoch[self._monitor] for epoch in self.logs]
        return values.index(max(values))

    @property
    def stopped(self) -> bool:
        """Whether `patience` epochs have gone by since the best one."""
        done = len(self.logs)
        return done > 0 and done - 1 - self.best_epoch >= self._patience

    def restore(self) -> int:
        """Goes back to the latest saved epoch; returns how many epochs are done."""
        if self._last.latest_checkpoint:
            self._last.checkpoint.restore(
                self._last.latest_checkpoint
            ).assert_existing_objects_matched()
        return len(self.logs)

    def restore_best(self) -> None:
        """The weights of the best epoch, in the process that writes them."""
        if self._writes and self._best.latest_checkpoint:
            self._best.checkpoint.restore(self._best.latest_checkpoint).expect_partial()

    def on_epoch_end(self, epoch: int, logs: EpochLogs | None = None) -> None:
        """Saves what the epoch reached, and asks Keras to stop where that has not helped."""
        logs = {name: float(value) for name, value in (logs or {}).items()}
        for name, value in logs.items():
            if not math.isfinite(value):
                raise TrainingDiverged(
                    f"expected a finite {name}, received {value} in epoch {epoch + 1}; "
                    "lower learning_rate"
                )
        self._logs.assign(json.dumps([*self.logs, logs]))
        if self._writes:
            if self.best_epoch == len(self.logs) - 1:
                self._best.save()
            self._last.save()
            self._folder.save()
        self.model.stop_training = self.stopped


def remove_checkpoints(folder: str) -> None:
    """Forgets a training that has ended and whose results are written."""
    if is_remote(folder):
        object_store.remove(folder)
    elif tf.io.gfile.exists(folder):
        tf.io.gfile.rmtree(folder)


def _create_manager(folder: str, **parts: Any) -> tf.train.CheckpointManager:
    """Keeps the latest checkpoint of the `parts`."""
    checkpoint = tf.train.Checkpoint(**parts)
    # Its counter is made at the first saving otherwise: in the strategy's scope, where every
    # process would have to make it, but only one of them saves.
    _ = checkpoint.save_counter
    return tf.train.CheckpointManager(checkpoint, plain_path.link(folder), max_to_keep=1)


def copy_weights(source: tf.keras.Model, target: tf.keras.Model) -> None:
    """Gives `target` the values of `source`, made alike but perhaps in another strategy's scope."""
    for one, other in zip(list_weights(source), list_weights(target), strict=True):
        other.assign(one.read_value())


def list_weights(model: tf.keras.Model) -> list[tf.Variable]:
    """All variables but the metrics', which say nothing once an epoch has ended."""
    metrics = {id(variable) for metric in model.metrics for variable in metric.variables}
    weights = [variable for variable in model.variables if id(variable) not in metrics]
    if not weights:
        raise TandemError(
            "expected a model with variables, received one that has seen no batch; call it once"
        )
    return weights


class CheckpointFolder:
    """`path` is where TensorFlow reads and writes: the folder itself, or a copy of what is at the
    URL.
    """

    def __init__(self, place: str) -> None:
        """Copies what is there."""
        self._place = place
        self.path = place
        if is_remote(place):
            self._copy = tempfile.TemporaryDirectory(prefix="tandem-")
            self.path = self._copy.name
            object_store.download(place, pathlib.Path(self.path))

    def save(self) -> None:
        """Brings the URL to what the folder holds: an interruption leaves the former or the new
        checkpoint, for the file that says which one it is comes after those that it names.
        """
        if self.path == self._place:
            return
        here = {path: str(path.relative_to(self.path)) for path in self._files()}
        there = set(object_store.list_files(self._place))
        for path, name in here.items():
            if name not in there or path.name == _LATEST:
                object_store.upload_file(path, f"{self._place}/{name}")
        for name in there - set(here.values()):
            object_store.remove(f"{self._place}/{name}")

    def _files(self) -> list[pathlib.Path]:
        files = (path for path in pathlib.Path(self.path).rglob("*") if path.is_file())
        return sorted(files, key=lambda path: (path.name == _LATEST, path))
