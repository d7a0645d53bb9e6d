"""Trains the retrieval model: on train to select an epoch, then on train and valid to serve."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from trainer.config.models import RetrievalConfig
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.timelines import Timelines, concat_timelines
from trainer.data.training_data import TrainingData
from trainer.data.windows import (
    Batch,
    Windows,
    batch_windows,
    count_batches,
    cut_windows,
)
from trainer.retrieval.build import build_model, copy_to_float32
from trainer.retrieval.model import RetrievalModel
from trainer.retrieval.validation import (
    create_measure,
    draw_sample,
    measure_baselines,
)
from trainer.retrieval.warm_start import WarmStart
from trainer.training import tensorboard
from trainer.training.batches import (
    NEGATIVES,
    EpochBatches,
    batch_static_shape,
    build_dataset,
    count_static_batches,
    pad_to_bucket,
    require_equal_shares,
)
from trainer.training.callbacks import EpochMetrics, FiniteLoss, Measure, ProgressLog
from trainer.training.checkpoints import TrainingState, copy_weights
from trainer.training.distribution import Hardware
from trainer.training.sparse_adam import SparseAdam

MONITORED_METRIC = "val_ndcg@10"


def fit_model(
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
    require_equal_shares(config.uniform_negatives, hardware.replicas)
    epochs, steps = build_epochs(model, train, config, seed, hardware)
    validation, validation_steps = build_epochs(model, valid, config, None, hardware)
    _compile_model(model, epochs, config, hardware)
    if begun is not None:
        begun.give(model)
    state = TrainingState(model, checkpoints, MONITORED_METRIC, "max", config.patience)
    done = state.restore()
    training = build_dataset(epochs, done, hardware)
    if not state.stopped:
        model.fit(
            training,
            steps_per_epoch=steps,
            initial_epoch=done,
            epochs=config.epochs,
            validation_data=build_dataset(validation, 0, hardware),
            validation_steps=validation_steps,
            verbose=0,
            callbacks=[
                FiniteLoss(),
                EpochMetrics(_count_positives(train), measure),
                state,
                *_create_callbacks(model, training, config, log_dir, hardware),
            ],
        )
    state.restore_best()
    return state.history


def continue_fit(
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
    epochs, steps = build_epochs(model, learned, config, seed, hardware)
    _compile_model(model, epochs, config, hardware)
    copy_weights(begun, model)
    model.fit(
        build_dataset(epochs, 0, hardware),
        steps_per_epoch=steps,
        epochs=config.refit_epochs,
        verbose=0,
        callbacks=[FiniteLoss()],
    )


def _compile_model(
    model: RetrievalModel, epochs: EpochBatches, config: RetrievalConfig, hardware: Hardware
) -> None:
    """Gives the model its optimizer and all its variables."""
    with hardware.strategy.scope():
        model.compile(optimizer=create_optimizer(model, config), jit_compile=hardware.xla)
        first = next(epochs(0))
        model.compute_loss({key: tf.constant(values) for key, values in first.items()})


def create_optimizer(
    model: RetrievalModel, config: RetrievalConfig
) -> tf.keras.optimizers.Optimizer:
    """Adam, or one whose step costs what the batch touches where the catalogue is large."""
    sparse = model.catalogue_size >= config.sparse_updates_from
    return (SparseAdam if sparse else tf.keras.optimizers.Adam)(config.learning_rate)


def _create_callbacks(
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
        tensorboard.create_scalars_callback(log_dir, hardware.profile),
        ProgressLog(config.epochs, "loss", "val_loss", MONITORED_METRIC),
    ]


def build_epochs(
    model: RetrievalModel,
    timelines: Timelines,
    config: RetrievalConfig,
    seed: int | None,
    hardware: Hardware,
) -> tuple[EpochBatches, int]:
    """Batches by epoch, and how many an epoch has.

    An epoch's order and negatives follow from `seed` and its number alone: a training that goes on
    sees what it would have seen. Without `seed` all epochs are the same, so that their losses
    compare.
    """
    cut = cut_windows(timelines, config.history_length)
    positions = config.positions_per_batch

    def batches(epoch: int) -> Iterator[Batch]:
        draws = np.random.default_rng(0 if seed is None else [seed, epoch])
        rng = None if seed is None else draws
        for batch in _batch_by_shape(
            timelines, cut, positions, config.history_length, rng, hardware
        ):
            drawn = draws.choice(model.taken, config.uniform_negatives)
            yield batch | {NEGATIVES: drawn}

    if hardware.one_shape:
        return batches, count_static_batches(cut, positions)
    return batches, count_batches(cut, positions)


def _batch_by_shape(
    timelines: Timelines,
    cut: Windows,
    positions: int,
    longest: int,
    rng: np.random.Generator | None,
    hardware: Hardware,
) -> Iterator[Batch]:
    if hardware.one_shape:
        return batch_static_shape(timelines, cut, positions, rng)
    batches = batch_windows(timelines, cut, positions, rng)
    if not hardware.xla:
        return batches
    return (pad_to_bucket(batch, positions, longest) for batch in batches)


def _count_positives(timelines: Timelines) -> int:
    return int((timelines.own & timelines.positive & (timelines.item_index > 0)).sum())


def fit_held_out(
    data: TrainingData,
    asked: EvaluationQueries,
    config: RetrievalConfig,
    seed: int,
    log_dir: str,
    checkpoints: str,
    hardware: Hardware,
    begun: WarmStart | None = None,
) -> tuple[dict[str, list[float]], RetrievalModel]:
    """What each epoch measured, and the model that has learned train (and what `begun` had).

    It computes in float32 and belongs to no strategy, whatever it was trained on.
    """
    clock = data.clock(data.train)
    with hardware.scope():
        trained = build_model(data, data.train, clock, config, hardware.static_shapes)
    sample = draw_sample(asked, clock, data.catalogue.size, config, seed)
    if hardware.writes:
        baselines = measure_baselines(sample, clock, config.popularity_days)
        tensorboard.write_baselines(baselines, log_dir, config.epochs)
    history = fit_model(
        trained, data.train, data.valid, config, seed, log_dir, checkpoints,
        create_measure(trained, sample, data, config), hardware, begun,
    )  # fmt: skip
    return history, copy_to_float32(trained, data, data.train, clock, config)


def refit(
    model: RetrievalModel,
    data: TrainingData,
    config: RetrievalConfig,
    seed: int,
    hardware: Hardware,
) -> RetrievalModel:
    """The model after `refit_epochs` more over train and valid together.

    It begins where the other ended, so that their vectors lie in one space and ranking, which
    learned from the other's, can read them.
    """
    if not config.refit_epochs:
        return model
    learned, clock = concat_timelines(data.train, data.valid), data.clock(data.train, data.valid)
    with hardware.scope():
        trained = build_model(data, learned, clock, config, hardware.static_shapes)
    continue_fit(model, trained, learned, config, seed, hardware)
    return copy_to_float32(trained, data, learned, clock, config)
