"""What a task is given of a run's artifacts, read as `pipeline.summary` reads ML Metadata's."""

import dataclasses
from collections.abc import Mapping

from tfx.types import Artifact

from pipeline.metadata import NodeRun


def task_folder(uri: str) -> str:
    """What a task wrote, by the URI of one of its outputs: see `components.kubeflow.run_folder`."""
    return uri.rpartition("/")[0]


def run_root(uri: str) -> str:
    """What all tasks of the run wrote, by the URI of an output of one that ran in it."""
    return uri.rsplit("/", 3)[0]


@dataclasses.dataclass(frozen=True)
class RunArtifacts:
    """Of one run, those that came from the cache included."""

    outputs: Mapping[str, Mapping[str, Artifact]]
    """By component and key."""
    root: str
    """Of the run: where those lie that did not come from the cache."""

    def latest(self, node: str) -> NodeRun | None:
        """The component's outputs; of its execution nothing else is known here."""
        if node not in self.outputs:
            return None
        return NodeRun(0, cached=not self.is_own(node), outputs=dict(self.outputs[node]))

    def is_own(self, node: str) -> bool:
        """Whether the component ran in this run."""
        (uri, *_) = (artifact.uri for artifact in self.outputs[node].values())
        return uri.startswith(f"{self.root}/")

    def beside(self, node: str) -> str:
        """The folder of the task, which holds its outputs and what it wrote beside them."""
        (uri, *_) = (artifact.uri for artifact in self.outputs[node].values())
        return task_folder(uri)
