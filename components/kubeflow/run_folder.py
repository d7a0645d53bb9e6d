"""What lies below a run's root: a folder for each task, in it one for each time that KFP's driver
saw to it, and in that the outputs and the record. A task from the cache has none.

`root` is a URL, or a path in the place of one.
"""

import pathlib

from components.kubeflow import task_record
from components.kubeflow.task_record import TaskRecord
from schema.storage import object_store
from schema.storage.locations import is_remote


def tasks(root: str) -> set[str]:
    """Those that left anything."""
    return set(_folders(root))


def record(root: str, task: str) -> TaskRecord | None:
    """The latest; None where the task left none: its container never came to run it."""
    found = [
        TaskRecord.model_validate_json(content)
        for each in _folders(f"{root}/{task}")
        if (content := read(f"{root}/{task}/{each}/{task_record.FILE}")) is not None
    ]
    return max(found, key=lambda each: each.began_at, default=None)


def of_output(root: str, task: str, file: str) -> bytes | None:
    """Content of `<output>/<name>` below the task; None where there is no such file."""
    found = (read(f"{root}/{task}/{each}/{file}") for each in _folders(f"{root}/{task}"))
    return next((content for content in found if content is not None), None)


def read(place: str) -> bytes | None:
    """None where there is no such file."""
    if is_remote(place):
        return object_store.read(place) if object_store.is_file(place) else None
    path = pathlib.Path(place)
    return path.read_bytes() if path.is_file() else None


def _folders(place: str) -> list[str]:
    if is_remote(place):
        return object_store.folders(place)
    path = pathlib.Path(place)
    return sorted(each.name for each in path.iterdir() if each.is_dir()) if path.is_dir() else []
