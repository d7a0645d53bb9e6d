"""The training loop of ranking."""

from collections.abc import Iterator

import numpy as np

from trainer.config.models import RankingConfig
from trainer.data.event_weights import WEIGHT
from trainer.data.windows import Batch
from trainer.metrics.top_k import iterate_blocks
from trainer.ranking.examples import RankingExamples
from trainer.ranking.model import RankingModel
from trainer.training.context import TrainingContext
from trainer.training.fit import FitPlan, compile_model, fit_with_resume
from trainer.training.selection import EpochSelection
from trainer.training.sparse_adam import SparseAdam

_PATIENCE = 2
_MIN_STEPS = 32
"""Batches per epoch, for which few events are in smaller batches."""
_MIN_BATCH = 64


def fit_ranking(
    model: RankingModel,
    learned: list[RankingExamples],
    held_out: RankingExamples,
    context: TrainingContext[RankingConfig],
) -> dict[str, list[float]]:
    """Trains with early stopping on the loss of the held-out examples; resumes like
    `fit_with_resume`, and the model then has the weights of the best epoch.

    Args:
        model: the untrained model.
        learned: training examples, concatenated in an epoch.
        held_out: validation examples.
        context: configuration, seed, checkpoints and hardware.

    Returns:
        The metrics of every epoch by name.
    """
    config, seed = context.config, context.seed
    batches = [
        batch for examples in learned for batch in build_batches(examples, config.batch_size)
    ]
    validation = build_batches(held_out, config.batch_size)
    compile_model(model, lambda: SparseAdam(config.learning_rate), batches[0], context.hardware)
    plan = FitPlan(
        training=lambda epoch: _shuffle_batches(batches, seed, epoch),
        steps=len(batches),
        validation=lambda _: iter(validation),
        validation_steps=len(validation),
        events=sum(len(examples) for examples in learned),
        selection=EpochSelection("val_loss", "min", _PATIENCE),
        headline=("loss",),
    )
    return fit_with_resume(model, plan, context)


def choose_batch_size(events: int, most: int) -> int:
    """At most `most` events per batch; fewer where an epoch would have less than 32 batches, but at
    least 64: an optimiser that makes four steps per epoch stops far from where it could be. For a
    log without a clock; with one, more steps fit to the days that ranking learns from.
    """
    return min(most, max(_MIN_BATCH, events // _MIN_STEPS))


def _shuffle_batches(batches: list[Batch], seed: int, epoch: int) -> Iterator[Batch]:
    order = np.random.default_rng([seed, epoch]).permutation(len(batches))
    return (batches[index] for index in order)


def build_batches(examples: RankingExamples, size: int) -> list[Batch]:
    """The examples in batches of at most `size`, in time order."""
    arrays = examples.inputs()
    arrays |= {f"label_{name}": values for name, values in examples.labels.items()}
    if examples.weight is not None:
        arrays[WEIGHT] = examples.weight
    return [
        {name: values[part] for name, values in arrays.items()}
        for part in iterate_blocks(len(examples), size)
    ]
