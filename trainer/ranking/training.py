"""The training loop of ranking."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from trainer.config.models import RankingConfig
from trainer.data.windows import Batch
from trainer.metrics.top_k import iterate_blocks
from trainer.ranking.examples import RankingExamples
from trainer.ranking.model import RankingModel
from trainer.training import tensorboard
from trainer.training.batches import build_dataset
from trainer.training.callbacks import EpochMetrics, FiniteLoss, ProgressLog
from trainer.training.checkpoints import TrainingState
from trainer.training.distribution import Hardware
from trainer.training.sparse_adam import SparseAdam

_PATIENCE = 2


def fit_ranking(
    model: RankingModel,
    learned: list[RankingExamples],
    held_out: RankingExamples,
    config: RankingConfig,
    seed: int,
    log_dir: str,
    checkpoints: str,
    hardware: Hardware,
) -> dict[str, list[float]]:
    """Stops early by the loss of the held-out examples; keeps the best weights, and goes on after
    the last epoch that `checkpoints` holds.
    """
    batches = [
        batch for examples in learned for batch in build_batches(examples, config.batch_size)
    ]
    held = build_batches(held_out, config.batch_size)
    model.compile(optimizer=SparseAdam(config.learning_rate), jit_compile=hardware.xla)
    model.compute_loss({name: tf.constant(values) for name, values in batches[0].items()})
    state = TrainingState(model, checkpoints, "val_loss", "min", _PATIENCE)
    done = state.restore()
    training = build_dataset(lambda n: _shuffle_batches(batches, seed, n), done, Hardware())
    if not state.stopped:
        tensorboard.write_graph(model, training, log_dir)
        tensorboard.write_hyper_parameters(config.model_dump(), log_dir, ("loss",))
        model.fit(
            training,
            steps_per_epoch=len(batches),
            initial_epoch=done,
            epochs=config.epochs,
            validation_data=build_dataset(lambda _: iter(held), 0, Hardware()),
            validation_steps=len(held),
            verbose=0,
            callbacks=[
                FiniteLoss(),
                EpochMetrics(sum(len(examples) for examples in learned), dict),
                state,
                tensorboard.create_scalars_callback(log_dir, hardware.profile),
                ProgressLog(config.epochs, "loss", "val_loss"),
            ],
        )
    state.restore_best()
    return state.history


def _shuffle_batches(batches: list[Batch], seed: int, epoch: int) -> Iterator[Batch]:
    order = np.random.default_rng([seed, epoch]).permutation(len(batches))
    return (batches[place] for place in order)


def build_batches(examples: RankingExamples, size: int) -> list[Batch]:
    """Slices of all arrays. They come in order of time: neighbours share a day."""
    arrays = examples.inputs()
    arrays |= {f"label_{name}": values for name, values in examples.labels.items()}
    return [
        {name: values[part] for name, values in arrays.items()}
        for part in iterate_blocks(len(examples), size)
    ]
