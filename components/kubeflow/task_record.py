"""The record of a task on Kubeflow, in a file beside its artifacts: state, start, end and error.

KFP keeps no artifact of a task that failed. Below a run's root there is a folder for each task, in
it one for each time that KFP's driver handled it, and in that the outputs and the record. A task
from the cache has none. `root` is a URL, or a path in the place of one.
"""

import json
import pathlib
import time
from types import TracebackType
from typing import Any, Literal

from schema.base import StrictModel
from schema.storage import object_store
from schema.storage.locations import is_remote

RECORD_FILE = "task.json"


class TaskRecord(StrictModel):
    """Of the latest attempt."""

    state: Literal["began", "complete", "failed"]
    """`began` is that of a task that is running, or was killed."""
    began_at: float
    """Seconds since epoch."""
    ended_at: float | None = None
    error: str = ""
    """Message of the exception that it failed with."""
    kind: str = ""
    """Name of the exception's class."""


class TaskRecorder:
    """Keeps the record while the block runs, in the folder or at the URL `place`; "" for none."""

    def __init__(self, place: str):
        self._place = place
        self._began_at = 0.0

    def __enter__(self) -> None:
        self._began_at = time.time()
        self._write("began")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        ended = {"ended_at": time.time()}
        if kind is None:
            self._write("complete", **ended)
        else:
            self._write("failed", **ended, error=str(error), kind=kind.__name__)

    def _write(self, state: Literal["began", "complete", "failed"], **more: Any) -> None:
        if not self._place:
            return
        record = TaskRecord(state=state, began_at=self._began_at, **more)
        with object_store.open_output_folder(self._place) as folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            pathlib.Path(folder, RECORD_FILE).write_text(
                json.dumps(record.model_dump()), encoding="utf-8"
            )


def list_tasks(root: str) -> set[str]:
    """Names of the tasks that left anything below `root`."""
    return set(_list_folders(root))


def list_task_folders(root: str, task: str) -> list[str]:
    """The folders of the task, one for each time that KFP's driver handled it."""
    return [f"{root}/{task}/{each}" for each in _list_folders(f"{root}/{task}")]


def load_record(root: str, task: str) -> TaskRecord | None:
    """The latest; None where the task left none: its container never came to run it."""
    found = [
        TaskRecord.model_validate_json(content)
        for folder in list_task_folders(root, task)
        if (content := read_file(f"{folder}/{RECORD_FILE}")) is not None
    ]
    return max(found, key=lambda each: each.began_at, default=None)


def read_output(root: str, task: str, file: str) -> bytes | None:
    """Content of `<output>/<name>` below the task; None where there is no such file."""
    found = (read_file(f"{folder}/{file}") for folder in list_task_folders(root, task))
    return next((content for content in found if content is not None), None)


def read_file(place: str) -> bytes | None:
    """None where there is no such file."""
    if is_remote(place):
        return object_store.read(place) if object_store.is_file(place) else None
    path = pathlib.Path(place)
    return path.read_bytes() if path.is_file() else None


def _list_folders(place: str) -> list[str]:
    if is_remote(place):
        return object_store.list_folders(place)
    path = pathlib.Path(place)
    return sorted(each.name for each in path.iterdir() if each.is_dir()) if path.is_dir() else []
