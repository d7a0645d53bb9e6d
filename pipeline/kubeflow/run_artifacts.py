"""A run on Kubeflow in the form in which `pipeline.summary` reads runs: its artifacts, its tasks as
stages, and the compiled configuration with the run's parameters applied.
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
    """Folder of a task, from the URI of one of its outputs; see
    `components.kubeflow.task_record`.
    """
    return uri.rpartition("/")[0]


def get_run_root(uri: str) -> str:
    """Folder of all tasks of a run, from the URI of an output that is not cached."""
    return uri.rsplit("/", 3)[0]


@dataclasses.dataclass(frozen=True)
class RunArtifacts:
    """Artifacts of one run, cached ones included."""

    outputs: Mapping[str, Mapping[str, Artifact]]
    """Artifacts by component and key."""
    root: str
    """Folder of all tasks of the run, which holds its artifacts but for cached ones."""

    def find_latest_run(self, node: str) -> NodeRun | None:
        """The component's outputs, with execution id 0, which Kubeflow does not pass on."""
        if node not in self.outputs:
            return None
        return NodeRun(0, cached=not self.is_own(node), outputs=dict(self.outputs[node]))

    def is_own(self, node: str) -> bool:
        """Whether the component ran in this run and did not come from the cache."""
        (uri, *_) = (artifact.uri for artifact in self.outputs[node].values())
        return uri.startswith(f"{self.root}/")

    def get_folder(self, node: str) -> str:
        """Folder of the task, which holds its outputs and its other files."""
        (uri, *_) = (artifact.uri for artifact in self.outputs[node].values())
        return get_task_folder(uri)


def list_stages(root: str, tasks: Iterable[str]) -> list[dict[str, Any]]:
    """Name, seconds and cached of each task, in order; `root` is the folder of all tasks of the
    run.

    A task without a record came from the cache, because this is called after all tasks have ended.
    """
    return [_describe_stage(root, task) for task in tasks]


def _describe_stage(root: str, task: str) -> dict[str, Any]:
    record = load_record(root, task)
    if record is None or record.ended_at is None:
        return {"name": task, "seconds": 0.0, "cached": True}
    seconds = round(record.ended_at - record.began_at, 2)
    return {"name": task, "seconds": seconds, "cached": False}


def apply_run_parameters(compiled: str, parameters: RunParameters) -> Config:
    """`compiled`, the JSON of a Config, with `parameters`; the span has no key in a
    configuration.
    """
    config = Config.model_validate_json(compiled)
    thresholds = THRESHOLDS.validate_json(str(parameters.thresholds))
    return config.replace_values(
        retrieval=config.retrieval.replace_values(epochs=parameters.retrieval_epochs),
        ranking=config.ranking.replace_values(epochs=parameters.ranking_epochs),
        blessing=config.blessing.replace_values(thresholds=thresholds),
    )
