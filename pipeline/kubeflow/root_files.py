"""A run's artifacts -> the files that `tandem run` leaves at its root."""

from typing import Any

from components.artifacts import push_outcome
from components.artifacts.local_copies import folder
from pipeline import run_files
from pipeline.config.config import Config
from pipeline.kubeflow.run_artifacts import RunArtifacts
from pipeline.kubeflow_run import publishing
from pipeline.run_root import RunDirectory
from pipeline.runner import Executed

_TENSORBOARD = {"RetrievalTrainer": "retrieval", "RankingTrainer": "ranking"}
_REJECTED = ("InteractionsGen", "ItemsGen")


def write(
    config: Config,
    data: str,
    at: RunDirectory,
    artifacts: RunArtifacts,
    stages: list[dict[str, Any]],
) -> dict[str, Any]:
    """Writes them below `at.root`, with what is at its URI of quality over runs; returns the
    summary.
    """
    for task in _REJECTED:
        publishing.bring(f"{artifacts.beside(task)}/rejected", at.rejected)
    publishing.bring(f"{artifacts.beside('DataGate')}/statistics", at.statistics)
    for task, stage in _TENSORBOARD.items():
        curves = at.tensorboard / stage
        publishing.bring(f"{artifacts.beside(task)}/tensorboard/{stage}", curves)
    quality = at.tensorboard / "quality"
    publishing.bring(f"{at.uri}/tensorboard/quality", quality)
    evaluations = _steps(at) + artifacts.is_own("Evaluator")
    outcome = push_outcome.read(str(folder(artifacts.outputs["Pusher"]["pushed"].uri)))
    refused = None if outcome.version is not None else push_outcome.refusal(outcome)
    return run_files.write(config, data, at, Executed(artifacts, stages, refused, evaluations))


def _steps(at: RunDirectory) -> int:
    """The last of TensorBoard's lines of quality over runs, 0 before the first."""
    found = at.tensorboard.glob("quality/*/*.step-*")
    return max((int(path.name.rpartition("-")[2]) for path in found), default=0)
