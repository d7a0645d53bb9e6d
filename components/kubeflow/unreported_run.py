"""What a run that ended before its report leaves at the root, as `tandem run` does.

These are the rejected records and the pages of statistics, which show why data were refused.
Summary and report stay those of the previous run, as after `tandem run`.
"""

import pathlib
import shutil
import tempfile

from components.kubeflow.task_record import list_task_folders, list_tasks
from schema.storage import object_store
from schema.storage.locations import is_remote

_REJECTED = {"InteractionsGen": ("interactions", "users"), "ItemsGen": ("items",)}
"""Tables of which a task keeps the records that it rejects."""


def publish(run: str, root: str) -> None:
    """Copies them from the run's folder to `root`; both are URLs or both are paths. Of a table that
    this run read, earlier rejected records are removed; those of a table from the cache stay.
    """
    left = list_tasks(run)
    for task in _REJECTED.keys() & left:
        for table in _REJECTED[task]:
            _remove(f"{root}/rejected/{table}")
            _add(run, task, f"rejected/{table}", root)
    if "DataGate" in left:
        _add(run, "DataGate", "statistics", root)


def _add(run: str, task: str, name: str, root: str) -> None:
    for folder in list_task_folders(run, task):
        _copy(f"{folder}/{name}", f"{root}/{name}")


def _copy(source: str, target: str) -> None:
    if is_remote(source):
        with tempfile.TemporaryDirectory(prefix="tandem-") as name:
            object_store.download(source, pathlib.Path(name))
            object_store.upload(pathlib.Path(name), target)
    elif pathlib.Path(source).is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)


def _remove(place: str) -> None:
    if is_remote(place):
        object_store.remove(place)
    else:
        shutil.rmtree(place, ignore_errors=True)
