"""Callbacks that both trainings share: epoch metrics, progress, and a stop at a non-finite loss."""

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
    """Adds to an epoch's logs `learning_rate`, `events_per_second` and, as `val_…`, what `measure`
    finds. Stands before every callback that reads them.
    """

    def __init__(self, events: int, measure: Measure) -> None:
        """`events` that an epoch learns from; `measure` is called after each epoch."""
        super().__init__()
        self._events = events
        self._measure = measure
        self._begun = self._trained = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Starts the clock."""
        self._begun = self._trained = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Reads the clock: validation is not training."""
        self._trained = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Measures, into the logs that the callbacks after this one are given."""
        if logs is None:
            return
        seconds = self._trained - self._begun
        begun = time.perf_counter()
        logs |= {f"val_{name}": value for name, value in self._measure().items()}
        _log.info("epoch=%d seconds=%.2f measuring=%.2f", epoch + 1, seconds,
                  time.perf_counter() - begun)  # fmt: skip
        rate = self.model.optimizer.learning_rate
        logs["learning_rate"] = float(tf.keras.backend.get_value(rate))
        logs["events_per_second"] = self._events / seconds


class ProgressLog(tf.keras.callbacks.Callback):
    """One progress record an epoch."""

    def __init__(self, epochs: int, *shown: str):
        """`shown` names the logs that the record has."""
        super().__init__()
        self._epochs = epochs
        self._shown = shown

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Reads what was measured in the epoch."""
        values = " ".join(f"{name}={(logs or {})[name]:.4f}" for name in self._shown)
        _progress.info("epoch=%d of=%d %s", epoch + 1, self._epochs, values)


class FiniteLoss(tf.keras.callbacks.Callback):
    """Raises TrainingDiverged; what was saved after the last whole epoch stays as it is.

    The means of `EpochMetricsModel` are over the epoch so far: one non-finite batch makes them
    non-finite.
    """

    def __init__(self) -> None:
        super().__init__()
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Remembers it for the message."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Looks at what the step reports."""
        for name, value in (logs or {}).items():
            if not math.isfinite(value):
                raise TrainingDiverged(
                    f"expected a finite {name.replace('_', ' ')} in training, received {value} in "
                    f"epoch {self._epoch + 1} at batch {batch + 1}; lower learning_rate. The "
                    "epochs before are kept: the same configuration would go on from there"
                )
