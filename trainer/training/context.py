"""The context of a training run: data, configuration, seed, folders, hardware, initial weights."""

import dataclasses
from typing import Any, Generic, Protocol, TypeVar

from trainer.config.models import RankingConfig, RetrievalConfig
from trainer.data.training_data import TrainingData
from trainer.training.distribution import Hardware

ConfigT = TypeVar("ConfigT", RetrievalConfig, RankingConfig)


class InitialWeights(Protocol):
    """The weights of an earlier model."""

    @property
    def learned_until(self) -> int:
        """Latest event that the earlier model learned from; seconds since epoch, UTC."""
        ...

    def assign_to(self, model: Any) -> None:
        """Replaces the model's weights; its variables must exist."""
        ...


@dataclasses.dataclass(frozen=True)
class TrainingContext(Generic[ConfigT]):
    """Everything that stays constant during a training run."""

    data: TrainingData
    config: ConfigT
    seed: int
    log_dir: str
    """Folder for TensorBoard."""
    checkpoints: str
    """Path or URL of the folder that an interrupted run resumes from. Checkpoints in it must be of
    the same data, configuration, seed and warm start."""
    hardware: Hardware = dataclasses.field(default_factory=Hardware)
    warm_start: InitialWeights | None = None
    """Initial weights instead of random ones."""
