"""Writes the files of a run on Kubeflow to the root, which runs share, as `tandem run` does.

Tasks write below their own folders, so that concurrent runs do not mix. At its end, a run copies
its files to the root, the summary last: readers find either the old or the new one, and everything
that it names is among the run's own artifacts.
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
from schema.run_summary import RunSummary
from schema.storage import atomic, object_store
from schema.storage.locations import is_remote

_TENSORBOARD = {"RetrievalTrainer": "retrieval", "RankingTrainer": "ranking"}
_REJECTED = ("InteractionsGen", "ItemsGen")


def write_root_files(
    config: Config,
    data: str,
    run_root: RunRoot,
    artifacts: RunArtifacts,
    stages: list[dict[str, Any]],
) -> RunSummary:
    """Writes all files of the run below `run_root.root`, and continues TensorBoard's quality over
    runs from the root's URL.

    Args:
        config: The configuration with the run's parameters applied.
        data: Folder or URL of the input.
        run_root: Local folder of the files, and the URL of the root.
        artifacts: Artifacts of the run, by component.
        stages: Name, seconds and cached of each task, in order.

    Returns:
        The summary.
    """
    for task in _REJECTED:
        copy_folder(f"{artifacts.get_folder(task)}/rejected", run_root.rejected)
    copy_folder(f"{artifacts.get_folder('DataGate')}/statistics", run_root.statistics)
    for task, stage in _TENSORBOARD.items():
        curves = run_root.tensorboard / stage
        copy_folder(f"{artifacts.get_folder(task)}/tensorboard/{stage}", curves)
    quality = run_root.tensorboard / "quality"
    copy_folder(f"{run_root.uri}/tensorboard/quality", quality)
    evaluations = _find_last_step(run_root) + artifacts.is_own("Evaluator")
    outcome = push_outcome.read(str(locate_folder(artifacts.outputs["Pusher"]["pushed"].uri)))
    not_blessed = None if outcome.version is not None else push_outcome.build_refusal(outcome)
    return write_run_files(
        config, data, run_root, RunResult(artifacts, stages, not_blessed, evaluations)
    )


def _find_last_step(run_root: RunRoot) -> int:
    """The last step of TensorBoard's quality over runs, 0 before the first."""
    events = run_root.tensorboard.glob("quality/*/*.step-*")
    return max((int(path.name.rpartition("-")[2]) for path in events), default=0)


@contextlib.contextmanager
def publish_root(root: str) -> Iterator[RunRoot]:
    """Yields a temporary folder whose files are copied to `root`, a path or a URL, if the block
    ends without an error. They replace `rejected/`, `statistics/` and the training curves of an
    earlier run.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-run-") as folder:
        run_root = RunRoot(pathlib.Path(folder), root)
        yield run_root
        for old in (run_root.rejected, run_root.statistics, run_root.tensorboard / "retrieval",
                    run_root.tensorboard / "ranking"):  # fmt: skip
            _remove(f"{root}/{old.relative_to(run_root.root)}")
        for path in sorted(run_root.root.rglob("*"), key=lambda path: path == run_root.summary):
            if path.is_file():
                copy_file(path, f"{root}/{path.relative_to(run_root.root)}")


def copy_folder(location: str, folder: pathlib.Path) -> None:
    """Copies the files below `location`, a path or a URL, to `folder`, if there are any."""
    if is_remote(location):
        object_store.download(location, folder)
    elif pathlib.Path(location).is_dir():
        shutil.copytree(location, folder, dirs_exist_ok=True)


def copy_file(path: pathlib.Path, location: str) -> None:
    """Copies one file atomically to `location`, a path or a URL."""
    if is_remote(location):
        object_store.upload_file(path, location)
        return
    target = pathlib.Path(location)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic.replace_file(target) as unfinished:
        shutil.copyfile(path, unfinished)


def _remove(location: str) -> None:
    if is_remote(location):
        object_store.remove(location)
    else:
        shutil.rmtree(location, ignore_errors=True)
