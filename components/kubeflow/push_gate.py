"""The end of a run on Kubeflow: fails it where the models were refused."""

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import PushedModel

from components.artifacts import push_outcome
from components.artifacts.local_copies import use_local_copies
from components.artifacts.types import Verdict

NAME = "PushGate"
OUTCOME = f"passed/{push_outcome.FILE}"
"""Below its folder."""


@component
@use_local_copies
def PushGate(pushed: InputArtifact[PushedModel], passed: OutputArtifact[Verdict]) -> None:
    """Hands on what the Pusher decided, in this run or in the one that it is cached from, and then
    raises NotBlessed where it pushed nothing.

    A task of its own, for of a task that fails KFP shows no output. It comes last and is never
    cached: so the DAG's state is that of all its tasks (`UpdateDAGExecutionsState`, which a
    launcher alone calls), and whoever finds its record knows that all others ended well.
    """
    outcome = push_outcome.read(pushed.uri)
    push_outcome.write(outcome, passed.uri)
    if outcome.version is None:
        raise push_outcome.build_refusal(outcome)
