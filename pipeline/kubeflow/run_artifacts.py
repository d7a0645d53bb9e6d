"""A run on Kubeflow as `pipeline.summary` reads one from ML Metadata: the artifacts that a task
receives, the tasks as stages, and the compiled configuration with the run's parameters applied.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from tfx.types import Artifact

from components.kubeflow.task_record import load_record
from pipeline.config.config import Config
from pipeline.config.run_parameters import RunParameters
from pipeline.metadata import NodeRun
from trainer.config.blessing import THRESHOLDS


def get_task_folder(uri: str) -> str:
    """What a task wrote, by the URI of one of its outputs: see `kubeflow.task_record`."""
    return uri.rpartition("/")[0]


def get_run_root(uri: str) -> str:
    """What all tasks of the run wrote, by the URI of an output of one that ran in it."""
    return uri.rsplit("/", 3)[0]


@dataclasses.dataclass(frozen=True)
class RunArtifacts:
    """Of one run, those that came from the cache included."""

    outputs: Mapping[str, Mapping[str, Artifact]]
    """By component and key."""
    root: str
    """Of the run: where those lie that did not come from the cache."""

    def find_latest_run(self, node: str) -> NodeRun | None:
        """The component's outputs; of its execution nothing else is known here."""
        if node not in self.outputs:
            return None
        return NodeRun(0, cached=not self.is_own(node), outputs=dict(self.outputs[node]))

    def is_own(self, node: str) -> bool:
        """Whether the component ran in this run."""
        (uri, *_) = (artifact.uri for artifact in self.outputs[node].values())
        return uri.startswith(f"{self.root}/")

    def get_folder(self, node: str) -> str:
        """The folder of the task, which holds its outputs and what it wrote beside them."""
        (uri, *_) = (artifact.uri for artifact in self.outputs[node].values())
        return get_task_folder(uri)


def list_stages(root: str, tasks: Iterable[str]) -> list[dict[str, Any]]:
    """In their order: name, seconds, cached; `root` is the run's. One that left nothing came from
    the cache, for what comes after all of them runs.
    """
    return [_describe_stage(root, task) for task in tasks]


def _describe_stage(root: str, task: str) -> dict[str, Any]:
    record = load_record(root, task)
    if record is None or record.ended_at is None:
        return {"name": task, "seconds": 0.0, "cached": True}
    seconds = round(record.ended_at - record.began_at, 2)
    return {"name": task, "seconds": seconds, "cached": False}


def apply_run_parameters(compiled: str, parameters: RunParameters) -> Config:
    """`compiled` is the JSON of Config; the span stands in no configuration."""
    config = Config.model_validate_json(compiled)
    thresholds = THRESHOLDS.validate_json(str(parameters.thresholds))
    return config.changed(
        retrieval=config.retrieval.changed(epochs=parameters.retrieval_epochs),
        ranking=config.ranking.changed(epochs=parameters.ranking_epochs),
        blessing=config.blessing.changed(thresholds=thresholds),
    )
