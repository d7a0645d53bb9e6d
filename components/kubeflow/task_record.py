"""The record of a task on Kubeflow, in a file next to its artifacts: state, start, end and error.

KFP publishes no artifact of a failed task. A run's root has a folder for each task, which has a
folder for each time that KFP's driver handled the task, which has the outputs and the record. A
cached task has none. `root` is a URL, or a path that replaces it.
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
    """The latest attempt of a task."""

    state: Literal["began", "complete", "failed"]
    """`began` while the task runs, and after it was killed."""
    began_at: float
    """Seconds since epoch, UTC."""
    ended_at: float | None = None
    """Seconds since epoch, UTC; None if `state` is `began`."""
    error: str = ""
    """Message of the exception that failed the task."""
    kind: str = ""
    """Name of the exception's class."""


class TaskRecorder:
    """Context manager that writes the record into the folder or to the URL `location`; "" disables
    it.
    """

    def __init__(self, location: str):
        self._location = location
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
        now = time.time()
        if kind is None:
            self._write("complete", ended_at=now)
        else:
            self._write("failed", ended_at=now, error=str(error), kind=kind.__name__)

    def _write(self, state: Literal["began", "complete", "failed"], **fields: Any) -> None:
        if not self._location:
            return
        record = TaskRecord(state=state, began_at=self._began_at, **fields)
        with object_store.open_output_folder(self._location) as folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            pathlib.Path(folder, RECORD_FILE).write_text(
                json.dumps(record.model_dump()), encoding="utf-8"
            )


def list_tasks(root: str) -> set[str]:
    """Returns the names of the tasks that have a folder below `root`."""
    return set(list_folders(root))


def list_task_folders(root: str, task: str) -> list[str]:
    """Returns the folders of the task, one for each time that KFP's driver handled it."""
    return [f"{root}/{task}/{each}" for each in list_folders(f"{root}/{task}")]


def load_record(root: str, task: str) -> TaskRecord | None:
    """Reads the latest record; None if there is none because the container did not start Tandem."""
    records = [
        TaskRecord.model_validate_json(content)
        for folder in list_task_folders(root, task)
        if (content := read_file(f"{folder}/{RECORD_FILE}")) is not None
    ]
    return max(records, key=lambda each: each.began_at, default=None)


def read_output(root: str, task: str, file: str) -> bytes | None:
    """Reads `file`, of the form `<output>/<name>`, of the task; None if it does not exist."""
    contents = (read_file(f"{folder}/{file}") for folder in list_task_folders(root, task))
    return next((content for content in contents if content is not None), None)


def read_file(location: str) -> bytes | None:
    """Reads a file at a path or URL; None if it does not exist."""
    if is_remote(location):
        return object_store.read(location) if object_store.is_file(location) else None
    path = pathlib.Path(location)
    return path.read_bytes() if path.is_file() else None


def list_folders(location: str) -> list[str]:
    """Returns the names of the folders at a path or URL; empty if it does not exist."""
    if is_remote(location):
        return object_store.list_folders(location)
    path = pathlib.Path(location)
    return sorted(each.name for each in path.iterdir() if each.is_dir()) if path.is_dir() else []
