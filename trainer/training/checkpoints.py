"""Checkpoints of a training run and of its selected weights, in a folder or an object store."""

import json
import math
import pathlib
import tempfile
from typing import Any

import numpy as np
import tensorflow as tf

from schema.errors import TandemError, TrainingDiverged
from schema.storage import object_store, plain_path
from schema.storage.locations import is_remote
from trainer.training.selection import EpochSelection

EpochLogs = dict[str, float]
_SELECTED = "selected"
"""In the logs of an epoch: 1.0 if it replaced the epoch that was selected before it."""
_LATEST = "checkpoint"
"""TensorFlow's name for the file that names the latest checkpoint."""


class TrainingState(tf.keras.callbacks.Callback):
    """Early stopping with state that survives an interruption of the process.

    After each epoch the weights, the optimizer and the metrics of all epochs are saved atomically
    as one checkpoint. The weights of the selected epoch are saved before it as a separate
    checkpoint. (Keras' BackupAndRestore does not save the state of EarlyStopping, so its best
    weights and its patience would be reset by an interruption.)
    """

    def __init__(self, model: tf.keras.Model, folder: str, selection: EpochSelection) -> None:
        """Creates the checkpoints' variables; call `restore` to load an earlier state.

        Args:
            model: compiled, with all its variables created.
            folder: path or URL of the checkpoints.
            selection: selects the epoch and ends training.
        """
        super().__init__()
        self._selection = selection
        self._logs = tf.Variable("[]", dtype=tf.string, name="logs")
        self._selected_queries = tf.Variable("[]", dtype=tf.string, name="selected_queries")
        self._writes = model.distribute_strategy.extended.should_checkpoint
        self._folder = CheckpointFolder(folder)
        weights = list_weights(model)
        with model.distribute_strategy.scope():
            model.optimizer.build(model.trainable_variables)
        self._last = _create_manager(
            f"{self._folder.path}/last",
            weights=weights,
            optimizer=model.optimizer,
            logs=self._logs,
            selected_queries=self._selected_queries,
        )
        self._best = _create_manager(f"{self._folder.path}/best", weights=weights)

    @property
    def logs(self) -> list[EpochLogs]:
        """Metrics of each finished epoch, including those of earlier processes."""
        return json.loads(self._logs.numpy())

    @property
    def history(self) -> dict[str, list[float]]:
        """Metric -> its value in each epoch, as in Keras' history."""
        logs = self.logs
        return {name: [epoch[name] for epoch in logs] for name in logs[0]}

    @property
    def selected_epoch(self) -> int:
        """Index of the selected epoch."""
        return find_selected_epoch(self.history)

    @property
    def stopped(self) -> bool:
        """Whether `patience` epochs have passed since the selected one."""
        done = len(self.logs)
        return done > 0 and done - 1 - self.selected_epoch >= self._selection.patience

    def restore(self) -> int:
        """Restores the latest saved epoch, if any; returns the number of finished epochs."""
        if self._last.latest_checkpoint:
            self._last.checkpoint.restore(
                self._last.latest_checkpoint
            ).assert_existing_objects_matched()
        return len(self.logs)

    def restore_selected(self) -> None:
        """Restores the weights of the selected epoch, in the process that writes checkpoints."""
        if self._writes and self._best.latest_checkpoint:
            self._best.checkpoint.restore(self._best.latest_checkpoint).expect_partial()

    def on_epoch_end(self, epoch: int, logs: EpochLogs | None = None) -> None:
        """Saves the state, and stops training when `patience` is exhausted."""
        logs = {name: float(value) for name, value in (logs or {}).items()}
        for name, value in logs.items():
            if not math.isfinite(value):
                raise TrainingDiverged(
                    f"expected a finite {name}, received {value} in epoch {epoch + 1}; "
                    "lower learning_rate"
                )
        selected = self._select(logs)
        self._logs.assign(json.dumps([*self.logs, logs | {_SELECTED: float(selected)}]))
        if self._writes:
            if selected:
                self._best.save()
            self._last.save()
            self._folder.save()
        self.model.stop_training = self.stopped

    def _select(self, logs: EpochLogs) -> bool:
        """Whether the epoch that has just ended is the selected one."""
        queries = np.asarray(self._selection.by_query(), dtype=float)
        monitor = self._selection.monitor
        if self.logs:
            before = np.array(json.loads(self._selected_queries.numpy()))
            value, selected = logs[monitor], self.logs[self.selected_epoch][monitor]
            if not self._selection.is_better(value, selected, queries, before):
                return False
        self._selected_queries.assign(json.dumps(queries.tolist()))
        return True


def find_selected_epoch(history: dict[str, list[float]]) -> int:
    """Index of the epoch whose weights the model has after `fit_with_resume` returned `history`."""
    return max(number for number, selected in enumerate(history[_SELECTED]) if selected)


def remove_checkpoints(folder: str) -> None:
    """Removes the checkpoints of a training run that no longer needs to resume."""
    if is_remote(folder):
        object_store.remove(folder)
    elif tf.io.gfile.exists(folder):
        tf.io.gfile.rmtree(folder)


def _create_manager(folder: str, **parts: Any) -> tf.train.CheckpointManager:
    """A manager that keeps only the latest checkpoint of the `parts`."""
    checkpoint = tf.train.Checkpoint(**parts)
    # Otherwise the first save creates the counter, in the strategy's scope, where every process
    # would have to create it; but only one of them saves.
    _ = checkpoint.save_counter
    return tf.train.CheckpointManager(checkpoint, plain_path.link(folder), max_to_keep=1)


def copy_weights(source: tf.keras.Model, target: tf.keras.Model) -> None:
    """Copies the weights of `source` to `target`, a model of the same structure, which may belong
    to another strategy.
    """
    for one, other in zip(list_weights(source), list_weights(target), strict=True):
        other.assign(one.read_value())


def list_weights(model: tf.keras.Model) -> list[tf.Variable]:
    """All variables except those of metrics, which are reset after each epoch."""
    metrics = {id(variable) for metric in model.metrics for variable in metric.variables}
    weights = [variable for variable in model.variables if id(variable) not in metrics]
    if not weights:
        raise TandemError(
            "expected a model with variables, received one without; call it on a batch first"
        )
    return weights


class CheckpointFolder:
    """A folder of checkpoints at a path or URL.

    TensorFlow reads and writes at `path`: the folder itself, or a local copy of a remote folder.
    """

    def __init__(self, location: str) -> None:
        """Downloads a remote folder; `location` is a path or URL."""
        self._location = location
        self.path = location
        if is_remote(location):
            self._copy = tempfile.TemporaryDirectory(prefix="tandem-")
            self.path = self._copy.name
            object_store.download(location, pathlib.Path(self.path))

    def save(self) -> None:
        """Uploads changes of the local copy.

        An interruption leaves either the previous or the new checkpoint complete, since the file
        that names the latest checkpoint is uploaded after the files that it names.
        """
        if self.path == self._location:
            return
        local = {path: str(path.relative_to(self.path)) for path in self._files()}
        remote = set(object_store.list_files(self._location))
        for path, name in local.items():
            if name not in remote or path.name == _LATEST:
                object_store.upload_file(path, f"{self._location}/{name}")
        for name in remote - set(local.values()):
            object_store.remove(f"{self._location}/{name}")

    def _files(self) -> list[pathlib.Path]:
        files = (path for path in pathlib.Path(self.path).rglob("*") if path.is_file())
        return sorted(files, key=lambda path: (path.name == _LATEST, path))
