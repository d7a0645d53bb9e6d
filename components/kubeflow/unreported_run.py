"""Publishes files of a run that ended before its report to the root, as `tandem run` does.

These are the rejected records and the pages of statistics, which show why data were refused. The
summary and the report of the previous run stay, as after `tandem run`.
"""

import pathlib
import shutil
import tempfile

from components.kubeflow.task_record import list_folders, list_task_folders, list_tasks
from schema.storage import object_store
from schema.storage.locations import is_remote

_REJECTED = {"InteractionsGen": ("interactions", "users"), "ItemsGen": ("items",)}
"""Kinds of tables whose rejected records each task stores."""


def publish(run: str, root: str) -> None:
    """Copies the files from the run's folder to `root`; both are URLs or both are paths.

    For each table that this run read, rejected records of an earlier run are removed first; those
    of a cached table stay.
    """
    tasks = list_tasks(run)
    for task in _REJECTED.keys() & tasks:
        for table in list_folders(f"{root}/rejected"):
            if table.partition(".")[0] in _REJECTED[task]:  # the name may be `interactions.1`
                _remove(f"{root}/rejected/{table}")
        _add(run, task, "rejected", root)
    if "DataGate" in tasks:
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


def _remove(location: str) -> None:
    if is_remote(location):
        object_store.remove(location)
    else:
        shutil.rmtree(location, ignore_errors=True)
