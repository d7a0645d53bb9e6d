"""TFX component: the last task of a run on Kubeflow, which fails if the models were refused."""

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import PushedModel

from components.artifacts import push_outcome
from components.artifacts.local_copies import use_local_copies
from components.artifacts.types import Verdict

NAME = "PushGate"
OUTCOME = f"passed/{push_outcome.FILE}"
"""File of the outcome, relative to the task's folder."""


@component
@use_local_copies
def PushGate(pushed: InputArtifact[PushedModel], passed: OutputArtifact[Verdict]) -> None:
    """Copies the Pusher's outcome, which can come from the cache, and raises NotBlessed if the
    Pusher pushed nothing.

    This is a task of its own because KFP does not show the outputs of a failed task. It is the last
    task and is never cached. Therefore KFP updates the state of the DAG after all other tasks (only
    a launcher calls `UpdateDAGExecutionsState`), and a record of this task implies that all others
    succeeded.
    """
    outcome = push_outcome.read(pushed.uri)
    push_outcome.write(outcome, passed.uri)
    if outcome.version is None:
        raise push_outcome.build_refusal(outcome)
