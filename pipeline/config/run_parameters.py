"""Settings that differ between runs: locations, and parameters that override the configuration."""

import dataclasses

from tfx.orchestration.data_types import RuntimeParameter

from pipeline.config.config import Config
from trainer.config.blessing import THRESHOLDS

Text = str | RuntimeParameter
Number = int | RuntimeParameter


@dataclasses.dataclass(frozen=True)
class RunParameters:
    """Parameters of components: plain values, or TFX runtime parameters with the same names."""

    span: Text
    """Span of tables whose path has `{SPAN}`, see `schema.dataset.Dataset.select_span`; "" for the
    configured one."""
    retrieval_epochs: Number
    ranking_epochs: Number
    thresholds: Text
    """`blessing.thresholds` as JSON."""

    @staticmethod
    def build(config: Config) -> "RunParameters":
        """The parameters as configured."""
        return RunParameters(
            span="",
            retrieval_epochs=config.retrieval.epochs,
            ranking_epochs=config.ranking.epochs,
            thresholds=THRESHOLDS.dump_json(config.blessing.thresholds).decode(),
        )


@dataclasses.dataclass(frozen=True)
class RunLocations:
    """Where a run reads and writes: paths or URLs."""

    data: Text
    artifacts: str
    serving: str
    tensorboard: str
    rejected: str
    statistics: str
    checkpoints: str

    @classmethod
    def build(cls, root: str, data: Text) -> "RunLocations":
        """Locations of a run that writes everything below `root`."""
        return cls(
            data=data,
            artifacts=f"{root}/artifacts",
            serving=f"{root}/serving",
            tensorboard=f"{root}/tensorboard",
            rejected=f"{root}/rejected",
            statistics=f"{root}/statistics",
            checkpoints=f"{root}/checkpoints",
        )
