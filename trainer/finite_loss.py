"""Stops a training at the batch at which its loss or its gradient is no number any more."""

import math

import tensorflow as tf

from schema.errors import TrainingDiverged


class FiniteLoss(tf.keras.callbacks.Callback):
    """Raises TrainingDiverged; what was saved after the last whole epoch stays as it is.

    The means of `MeasuredModel` are over the epoch so far: one batch that is no number makes them
    none.
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
