"""A run's artifacts -> the files that `tandem run` leaves at its root, which other runs share.

Tasks write below their own folders, so two runs at once have nothing in common until the end of
each. Then the files for the root are copied there, the summary last: it is one object, and all that
it names lies among the run's own artifacts.
"""

import contextlib
import pathlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

from components.artifacts import push_outcome
from components.artifacts.local_copies import locate_folder
from pipeline.config.config import Config
from pipeline.kubeflow.run_artifacts import RunArtifacts
from pipeline.run_files import write_run_files
from pipeline.run_root import RunRoot
from pipeline.runner import RunResult
from schema.storage import object_store
from schema.storage.locations import is_remote

_TENSORBOARD = {"RetrievalTrainer": "retrieval", "RankingTrainer": "ranking"}
_REJECTED = ("InteractionsGen", "ItemsGen")


def write_root_files(
    config: Config,
    data: str,
    at: RunRoot,
    artifacts: RunArtifacts,
    stages: list[dict[str, Any]],
) -> dict[str, Any]:
    """Writes them below `at.root`, with what is at its URI of quality over runs; returns the
    summary.
    """
    for task in _REJECTED:
        copy_folder(f"{artifacts.beside(task)}/rejected", at.rejected)
    copy_folder(f"{artifacts.beside('DataGate')}/statistics", at.statistics)
    for task, stage in _TENSORBOARD.items():
        curves = at.tensorboard / stage
        copy_folder(f"{artifacts.beside(task)}/tensorboard/{stage}", curves)
    quality = at.tensorboard / "quality"
    copy_folder(f"{at.uri}/tensorboard/quality", quality)
    evaluations = _find_last_step(at) + artifacts.is_own("Evaluator")
    outcome = push_outcome.read(str(locate_folder(artifacts.outputs["Pusher"]["pushed"].uri)))
    refused = None if outcome.version is not None else push_outcome.build_refusal(outcome)
    return write_run_files(config, data, at, RunResult(artifacts, stages, refused, evaluations))


def _find_last_step(at: RunRoot) -> int:
    """The last of TensorBoard's lines of quality over runs, 0 before the first."""
    found = at.tensorboard.glob("quality/*/*.step-*")
    return max((int(path.name.rpartition("-")[2]) for path in found), default=0)


@contextlib.contextmanager
def publish_root(root: str) -> Iterator[RunRoot]:
    """A directory of this machine, what was put into which is at `root`, a path or a URL, once the
    block has ended well. Of `rejected/`, `statistics/` and the curves of trainings nothing of an
    earlier run is left there.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-run-") as folder:
        at = RunRoot(pathlib.Path(folder), root)
        yield at
        for old in (at.rejected, at.statistics, at.tensorboard / "retrieval",
                    at.tensorboard / "ranking"):  # fmt: skip
            _remove(f"{root}/{old.relative_to(at.root)}")
        for path in sorted(at.root.rglob("*"), key=lambda path: path == at.summary):
            if path.is_file():
                copy_file(path, f"{root}/{path.relative_to(at.root)}")


def copy_folder(place: str, folder: pathlib.Path) -> None:
    """Adds to `folder` what is below `place`, a path or a URL; nothing where nothing is there."""
    if is_remote(place):
        object_store.download(place, folder)
    elif pathlib.Path(place).is_dir():
        shutil.copytree(place, folder, dirs_exist_ok=True)


def copy_file(path: pathlib.Path, place: str) -> None:
    """Copies one file, whole or not at all."""
    if is_remote(place):
        object_store.upload_file(path, place)
        return
    target = pathlib.Path(place)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".tmp-{target.name}")
    shutil.copyfile(path, unfinished)
    unfinished.rename(target)


def _remove(place: str) -> None:
    if is_remote(place):
        object_store.remove(place)
    else:
        shutil.rmtree(place, ignore_errors=True)
