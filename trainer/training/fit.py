"""Training that resumes after an interruption and keeps the weights of the selected epoch."""

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from trainer.data.windows import Batch
from trainer.training import tensorboard
from trainer.training.batches import EpochBatches, build_dataset
from trainer.training.callbacks import EpochMetrics, FiniteLoss, Measure, ProgressLog
from trainer.training.checkpoints import TrainingState
from trainer.training.context import TrainingContext
from trainer.training.distribution import Hardware
from trainer.training.model import EpochMetricsModel
from trainer.training.selection import EpochSelection


@dataclasses.dataclass(frozen=True)
class FitPlan:
    """The batches of a training run, and how its epoch is selected."""

    training: EpochBatches
    steps: int
    """Batches per epoch."""
    validation: EpochBatches
    validation_steps: int
    events: int
    """Events per epoch."""
    selection: EpochSelection
    headline: tuple[str, ...]
    """Metrics that TensorBoard shows with the hyper-parameters."""
    measure: Measure = dict
    """Computes further validation metrics after each epoch."""


def compile_model(
    model: EpochMetricsModel,
    create_optimizer: Callable[[], tf.keras.optimizers.Optimizer],
    batch: Batch,
    hardware: Hardware,
) -> None:
    """Compiles the model and creates all its variables.

    Args:
        model: created in the scope of the hardware.
        create_optimizer: called in the scope of the strategy.
        batch: any training batch; the model is called on it once.
        hardware: devices to compile for.
    """
    with hardware.strategy.scope():
        model.compile(optimizer=create_optimizer(), jit_compile=hardware.xla)
        model.compute_loss({name: tf.constant(values) for name, values in batch.items()})


def fit_with_resume(
    model: EpochMetricsModel, plan: FitPlan, context: TrainingContext[Any]
) -> dict[str, list[float]]:
    """Trains the compiled `model` for at most `config.epochs` epochs; the model then has the
    weights of the selected epoch.

    Resumes after the last epoch in `context.checkpoints`. Returns the metrics of every epoch by
    name. Raises TrainingDiverged when the loss is not finite.
    """
    state = TrainingState(model, context.checkpoints, plan.selection)
    done = state.restore()
    training = build_dataset(plan.training, done, context.hardware)
    if not state.stopped:
        model.fit(
            training,
            steps_per_epoch=plan.steps,
            initial_epoch=done,
            epochs=context.config.epochs,
            validation_data=build_dataset(plan.validation, 0, context.hardware),
            validation_steps=plan.validation_steps,
            verbose=0,
            callbacks=[
                FiniteLoss(),
                EpochMetrics(plan.events, plan.measure),
                state,
                *_create_log_callbacks(model, training, plan, context),
            ],
        )
    state.restore_selected()
    return state.history


def _create_log_callbacks(
    model: EpochMetricsModel,
    training: tf.data.Dataset,
    plan: FitPlan,
    context: TrainingContext[Any],
) -> list[tf.keras.callbacks.Callback]:
    """TensorBoard and progress logs, only in the process that writes results."""
    hardware, log_dir = context.hardware, context.log_dir
    if not hardware.writes:
        return []
    if hardware.replicas == 1:
        tensorboard.write_graph(model, training, log_dir)
    tensorboard.write_hyper_parameters(context.config.model_dump(), log_dir, plan.headline)
    shown = dict.fromkeys(["loss", "val_loss", plan.selection.monitor])
    return [
        tensorboard.create_scalars_callback(log_dir, hardware.profile),
        ProgressLog(context.config.epochs, *shown),
    ]
