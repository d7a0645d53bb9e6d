"""Trains the retrieval model: on train to select an epoch, then on train and valid for serving."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from trainer.config.models import RetrievalConfig
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.event_weights import add_weights
from trainer.data.popularity_forecast import ItemPopularity
from trainer.data.timelines import Timelines, concat_timelines
from trainer.data.windows import Batch, Windows, batch_windows, count_batches, cut_windows
from trainer.retrieval.build import build_model, copy_to_float32
from trainer.retrieval.model import RetrievalModel
from trainer.retrieval.validation import (
    QueryMeasure,
    SampleMeasure,
    draw_sample,
    measure_baselines,
)
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
from trainer.training.callbacks import FiniteLoss
from trainer.training.checkpoints import copy_weights
from trainer.training.context import TrainingContext
from trainer.training.distribution import Hardware
from trainer.training.fit import FitPlan, compile_model, fit_with_resume
from trainer.training.selection import EpochSelection
from trainer.training.sparse_adam import SparseAdam

RetrievalContext = TrainingContext[RetrievalConfig]
_RECENT_DAYS = 7.0


def fit_held_out(
    context: RetrievalContext, queries: EvaluationQueries, popularity: ItemPopularity
) -> tuple[dict[str, list[float]], RetrievalModel]:
    """The metrics of each epoch, and the model trained on train (from the weights of `warm_start`,
    where the context has one); `popularity` is over train.

    The model computes in float32 and belongs to no strategy, regardless of the hardware it was
    trained on. `queries` are those of valid; a sample of them is evaluated after each epoch.
    """
    data, config, hardware = context.data, context.config, context.hardware
    with hardware.scope():
        trained = build_model(data, data.train, popularity, config, hardware.static_shapes)
    sample = draw_sample(queries, popularity, data.catalogue.size, config, context.seed)
    if hardware.writes:
        baselines = measure_baselines(sample, popularity.clock, _RECENT_DAYS)
        tensorboard.write_baselines(baselines, context.log_dir, config.epochs)
    measure = SampleMeasure(trained, sample, data.catalogue.size, config.temperature)
    history = fit_model(trained, context, measure)
    return history, copy_to_float32(trained, data, data.train, popularity, config)


def fit_model(
    model: RetrievalModel, context: RetrievalContext, measure: QueryMeasure
) -> dict[str, list[float]]:
    """Trains on train until `ndcg@10` of `measure` has not improved for `patience` epochs by more
    than its error; the model, created in the scope of the hardware, then has the weights of the
    selected epoch.

    Begins from the weights of `warm_start`, where the context has one, and resumes like
    `fit_with_resume`. Returns the metrics of every epoch by name.
    """
    config, hardware = context.config, context.hardware
    train, valid = context.data.train, context.data.valid
    require_equal_shares(config.uniform_negatives, hardware.replicas)
    training, steps = build_epochs(model, train, config, context.seed, hardware)
    validation, validation_steps = build_epochs(model, valid, config, None, hardware)
    _compile(model, training, config, hardware)
    if context.warm_start is not None:
        context.warm_start.assign_to(model)
    plan = FitPlan(
        training=training,
        steps=steps,
        validation=validation,
        validation_steps=validation_steps,
        events=int((train.own & train.positive & (train.item_index > 0)).sum()),
        selection=EpochSelection("val_ndcg@10", "max", config.patience, measure.ndcg_by_query),
        headline=("ndcg@10", "recall@10"),
        measure=measure,
    )
    return fit_with_resume(model, plan, context)


def refit(
    model: RetrievalModel, context: RetrievalContext, popularity: ItemPopularity, epochs: int
) -> RetrievalModel:
    """The model after this many more epochs on train and valid together, which
    `popularity` is over.

    It begins from the weights of `model`, so that both share one vector space and ranking, which
    learned from the vectors of `model`, can use the new ones. Raises TrainingDiverged when the loss
    is not finite.
    """
    data, config, hardware = context.data, context.config, context.hardware
    if not epochs:
        return model
    learned = concat_timelines(data.train, data.valid)
    with hardware.scope():
        trained = build_model(data, learned, popularity, config, hardware.static_shapes)
    batches, steps = build_epochs(trained, learned, config, context.seed, hardware)
    _compile(trained, batches, config, hardware)
    copy_weights(model, trained)
    trained.fit(
        build_dataset(batches, 0, hardware),
        steps_per_epoch=steps,
        epochs=epochs,
        verbose=0,
        callbacks=[FiniteLoss()],
    )
    return copy_to_float32(trained, data, learned, popularity, config)


def _compile(
    model: RetrievalModel, epochs: EpochBatches, config: RetrievalConfig, hardware: Hardware
) -> None:
    compile_model(model, lambda: create_optimizer(model, config), next(epochs(0)), hardware)


def create_optimizer(
    model: RetrievalModel, config: RetrievalConfig
) -> tf.keras.optimizers.Optimizer:
    """Adam, or for a large catalogue SparseAdam, whose steps cost only the rows of the batch."""
    sparse = model.catalogue_size >= config.sparse_updates_from
    return (SparseAdam if sparse else tf.keras.optimizers.Adam)(config.learning_rate)


def build_epochs(
    model: RetrievalModel,
    timelines: Timelines,
    config: RetrievalConfig,
    seed: int | None,
    hardware: Hardware,
) -> tuple[EpochBatches, int]:
    """Batches by epoch, and the number of batches per epoch.

    An epoch's order and negatives depend only on `seed` and its number: a resumed run gets the same
    batches as an uninterrupted one.

    Args:
        model: determines the items that negatives are drawn from.
        timelines: the split to learn from.
        config: window length, batch size and number of negatives.
        seed: seed of order and negatives; None gives all epochs the same batches, so that their
            losses are comparable.
        hardware: determines whether batches are padded to static shapes.
    """
    cut = cut_windows(timelines, config.history_length)
    positions = config.positions_per_batch

    def batches(epoch: int) -> Iterator[Batch]:
        draws = np.random.default_rng(0 if seed is None else [seed, epoch])
        rng = None if seed is None else draws
        for batch in _batch_by_shape(
            timelines, cut, positions, config.history_length, rng, hardware
        ):
            drawn = draws.choice(model.trained_items, config.uniform_negatives)
            yield add_weights(batch, timelines) | {NEGATIVES: drawn}

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
