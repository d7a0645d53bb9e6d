"""The tasks of a run as `summary.json` tells stages."""

from collections.abc import Iterable
from typing import Any

from components.kubeflow import run_folder


def of(root: str, tasks: Iterable[str]) -> list[dict[str, Any]]:
    """In their order: name, seconds, cached; `root` is the run's. One that left nothing came from
    the cache, for what comes after all of them runs.
    """
    return [_stage(root, task) for task in tasks]


def _stage(root: str, task: str) -> dict[str, Any]:
    record = run_folder.record(root, task)
    if record is None or record.ended_at is None:
        return {"name": task, "seconds": 0.0, "cached": True}
    seconds = round(record.ended_at - record.began_at, 2)
    return {"name": task, "seconds": seconds, "cached": False}
