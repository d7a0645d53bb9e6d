"""Fitting the retrieval model."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from trainer.config.models import RetrievalConfig
from trainer.data import windows
from trainer.data.timelines import Timelines
from trainer.finite_loss import FiniteLoss
from trainer.retrieval.model import RetrievalModel
from trainer.retrieval.warm_start import WarmStart
from trainer.training import batches as replica_batches
from trainer.training import checkpoints as training_state
from trainer.training import tensorboard
from trainer.training.batches import Epochs
from trainer.training.callbacks import EpochMeasures, Measure, Progress
from trainer.training.checkpoints import TrainingState
from trainer.training.distribution import Hardware
from trainer.training.sparse_adam import SparseAdam

METRIC = "val_ndcg@10"


def fit(
    model: RetrievalModel,
    train: Timelines,
    valid: Timelines,
    config: RetrievalConfig,
    seed: int,
    log_dir: str,
    checkpoints: str,
    measure: Measure,
    hardware: Hardware,
    begun: WarmStart | None = None,
) -> dict[str, list[float]]:
    """Trains until `measure`'s `ndcg@10` has not risen for `patience` epochs; leaves the best
    epoch's weights in the model, which was made in the scope of the `hardware`. Begins from the
    weights of `begun` where it is given.

    Goes on after the last epoch that `checkpoints` holds. Returns what was measured, by name, a
    value an epoch. Raises TrainingDiverged where the loss is no number.
    """
    replica_batches.require_equal_shares(config.uniform_negatives, hardware.replicas)
    epochs, steps = epochs_of(model, train, config, seed, hardware)
    validation, validation_steps = epochs_of(model, valid, config, None, hardware)
    _prepare(model, epochs, config, hardware)
    if begun is not None:
        begun.give(model)
    state = TrainingState(model, checkpoints, METRIC, "max", config.patience)
    done = state.restore()
    training = replica_batches.dataset(epochs, done, hardware)
    if not state.stopped:
        model.fit(
            training,
            steps_per_epoch=steps,
            initial_epoch=done,
            epochs=config.epochs,
            validation_data=replica_batches.dataset(validation, 0, hardware),
            validation_steps=validation_steps,
            verbose=0,
            callbacks=[
                FiniteLoss(),
                EpochMeasures(_positives(train), measure),
                state,
                *_shown(model, training, config, log_dir, hardware),
            ],
        )
    state.restore_best()
    return state.history


def go_on(
    begun: RetrievalModel,
    model: RetrievalModel,
    learned: Timelines,
    config: RetrievalConfig,
    seed: int,
    hardware: Hardware,
) -> None:
    """Gives the model the weights of `begun` and passes over `learned` `refit_epochs` times, with
    nothing to stop by.

    Raises TrainingDiverged where the loss is no number.
    """
    epochs, steps = epochs_of(model, learned, config, seed, hardware)
    _prepare(model, epochs, config, hardware)
    training_state.copy_weights(begun, model)
    model.fit(
        replica_batches.dataset(epochs, 0, hardware),
        steps_per_epoch=steps,
        epochs=config.refit_epochs,
        verbose=0,
        callbacks=[FiniteLoss()],
    )


def _prepare(
    model: RetrievalModel, epochs: Epochs, config: RetrievalConfig, hardware: Hardware
) -> None:
    """Gives the model its optimizer and all its variables."""
    with hardware.strategy.scope():
        model.compile(optimizer=optimizer(model, config), jit_compile=hardware.xla)
        first = next(epochs(0))
        model.compute_loss({key: tf.constant(values) for key, values in first.items()})


def optimizer(model: RetrievalModel, config: RetrievalConfig) -> tf.keras.optimizers.Optimizer:
    """Adam, or one whose step costs what the batch touches where the catalogue is large."""
    sparse = model.catalogue_size >= config.sparse_updates_from
    return (SparseAdam if sparse else tf.keras.optimizers.Adam)(config.learning_rate)


def _shown(
    model: RetrievalModel,
    training: tf.data.Dataset,
    config: RetrievalConfig,
    log_dir: str,
    hardware: Hardware,
) -> list[tf.keras.callbacks.Callback]:
    """What tells how training goes, in the one process that may."""
    if not hardware.writes:
        return []
    if hardware.replicas == 1:
        tensorboard.write_graph(model, training, log_dir)
    tensorboard.write_hyper_parameters(config.model_dump(), log_dir, ("ndcg@10", "recall@10"))
    return [
        tensorboard.scalars(log_dir, hardware.profile),
        Progress(config.epochs, "loss", "val_loss", METRIC),
    ]


def epochs_of(
    model: RetrievalModel,
    timelines: Timelines,
    config: RetrievalConfig,
    seed: int | None,
    hardware: Hardware,
) -> tuple[Epochs, int]:
    """Batches by epoch, and how many an epoch has.

    An epoch's order and negatives follow from `seed` and its number alone: a training that goes on
    sees what it would have seen. Without `seed` all epochs are the same, so that their losses
    compare.
    """
    cut = windows.cut(timelines, config.history_length)
    positions = config.positions_per_batch

    def batches(epoch: int) -> Iterator[windows.Batch]:
        draws = np.random.default_rng(0 if seed is None else [seed, epoch])
        rng = None if seed is None else draws
        for batch in _shaped(timelines, cut, positions, config.history_length, rng, hardware):
            drawn = draws.choice(model.taken, config.uniform_negatives)
            yield batch | {replica_batches.NEGATIVES: drawn}

    if hardware.one_shape:
        return batches, replica_batches.count_of_one_shape(cut, positions)
    return batches, windows.count_batches(cut, positions)


def _shaped(
    timelines: Timelines,
    cut: windows.Windows,
    positions: int,
    longest: int,
    rng: np.random.Generator | None,
    hardware: Hardware,
) -> Iterator[windows.Batch]:
    if hardware.one_shape:
        return replica_batches.of_one_shape(timelines, cut, positions, rng)
    batches = windows.batched(timelines, cut, positions, rng)
    if not hardware.xla:
        return batches
    return (replica_batches.one_of_few_shapes(batch, positions, longest) for batch in batches)


def _positives(timelines: Timelines) -> int:
    return int((timelines.own & timelines.positive & (timelines.item_index > 0)).sum())
