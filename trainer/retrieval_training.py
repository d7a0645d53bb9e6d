"""Fitting the retrieval model."""

import logging
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from schema.errors import TandemError
from trainer import tensorboard, windows
from trainer.config import RetrievalConfig
from trainer.retrieval_model import RetrievalModel
from trainer.timelines import Timelines

_progress = logging.getLogger("tandem.progress")


class Progress(tf.keras.callbacks.Callback):
    """One progress record an epoch, and a stop with a plain sentence when the loss is no number."""

    def __init__(self, epochs: int):
        super().__init__()
        self._epochs = epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Reads what Keras measured in the epoch."""
        logs = logs or {}
        _progress.info(
            "epoch=%d of=%d loss=%.4f val_loss=%.4f",
            epoch + 1, self._epochs, logs["loss"], logs["val_loss"],
        )  # fmt: skip
        if not np.isfinite(logs["loss"]):
            raise TandemError(
                f"expected a finite training loss, received {logs['loss']} in epoch {epoch + 1}; "
                "lower learning_rate"
            )


def fit(
    model: RetrievalModel,
    train: Timelines,
    valid: Timelines,
    config: RetrievalConfig,
    seed: int,
    log_dir: str,
) -> dict[str, list[float]]:
    """Trains until the loss on `valid` has not fallen for `patience` epochs; keeps the best
    weights.

    Returns the history of losses by epoch.
    """
    model.compile(optimizer=tf.keras.optimizers.Adam(config.learning_rate))
    training, steps = _dataset(model, train, config, np.random.default_rng(seed))
    validation, _ = _dataset(model, valid, config, None)
    tensorboard.write_graph(model, training, log_dir)
    history = model.fit(
        training.repeat(),
        steps_per_epoch=steps,
        epochs=config.epochs,
        validation_data=validation,
        verbose=0,
        callbacks=[
            tf.keras.callbacks.EarlyStopping(
                "val_loss", patience=config.patience, restore_best_weights=True
            ),
            tensorboard.scalars(log_dir),
            Progress(config.epochs),
        ],
    )
    return history.history


def _dataset(
    model: RetrievalModel,
    timelines: Timelines,
    config: RetrievalConfig,
    rng: np.random.Generator | None,
) -> tuple[tf.data.Dataset, int]:
    cut = windows.cut(timelines, config.history_length)

    def batches() -> Iterator[windows.Batch]:
        # without `rng` every pass draws the same, so that the losses of two epochs compare
        draws = rng or np.random.default_rng(0)
        for batch in windows.batched(timelines, cut, config.positions_per_batch, rng):
            drawn = draws.integers(1, model.catalogue_size + 1, config.uniform_negatives)
            yield batch | {"negatives": drawn.astype(np.int32)}

    return from_batches(batches), windows.count_batches(cut, config.positions_per_batch)


def from_batches(batches: Callable[[], Iterator[windows.Batch]]) -> tf.data.Dataset:
    """A tf.data of ready batches; only their ranks are fixed."""
    example = next(batches())
    signature = {
        key: tf.TensorSpec([None] * values.ndim, values.dtype) for key, values in example.items()
    }
    return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(4)
