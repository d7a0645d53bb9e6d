"""Callbacks that both stages share: epoch metrics, progress, and a stop at a non-finite loss."""

import logging
import math
import time
from collections.abc import Callable

import tensorflow as tf

from schema.errors import TrainingDiverged

Measure = Callable[[], dict[str, float]]
_progress = logging.getLogger("tandem.progress")
_log = logging.getLogger(__name__)


class EpochMetrics(tf.keras.callbacks.Callback):
    """Adds `learning_rate`, `events_per_second` and, prefixed with `val_`, the metrics of
    `measure` to an epoch's logs. Must come before every callback that reads them.
    """

    def __init__(self, events: int, measure: Measure) -> None:
        """`events` per epoch; `measure` is called after each epoch."""
        super().__init__()
        self._events = events
        self._measure = measure
        self._epoch_start = self._last_batch_end = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Starts the clock."""
        self._epoch_start = self._last_batch_end = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Reads the clock, so that validation does not count as training time."""
        self._last_batch_end = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Adds the metrics to the logs that later callbacks receive."""
        if logs is None:
            return
        seconds = self._last_batch_end - self._epoch_start
        start = time.perf_counter()
        logs |= {f"val_{name}": value for name, value in self._measure().items()}
        _log.info("epoch=%d seconds=%.2f measuring=%.2f", epoch + 1, seconds,
                  time.perf_counter() - start)  # fmt: skip
        rate = self.model.optimizer.learning_rate
        logs["learning_rate"] = float(tf.keras.backend.get_value(rate))
        logs["events_per_second"] = self._events / seconds


class ProgressLog(tf.keras.callbacks.Callback):
    """Logs one progress record per epoch."""

    def __init__(self, epochs: int, *names: str):
        """`names` are the names of the logs to include."""
        super().__init__()
        self._epochs = epochs
        self._names = names

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Logs the epoch's metrics."""
        values = " ".join(f"{name}={(logs or {})[name]:.4f}" for name in self._names)
        _progress.info("epoch=%d of=%d %s", epoch + 1, self._epochs, values)


class FiniteLoss(tf.keras.callbacks.Callback):
    """Raises TrainingDiverged at a non-finite loss; the checkpoint of the last completed epoch
    remains.

    `EpochMetricsModel` reports means over the epoch so far, so one non-finite batch makes them
    non-finite.
    """

    def __init__(self) -> None:
        super().__init__()
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Stores the epoch for the error message."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Checks the metrics of the step."""
        for name, value in (logs or {}).items():
            if not math.isfinite(value):
                raise TrainingDiverged(
                    f"expected a finite {name.replace('_', ' ')} in training, received {value} in "
                    f"epoch {self._epoch + 1} at batch {batch + 1}; lower learning_rate. The "
                    "epochs before are kept, and the same configuration would resume from them"
                )
