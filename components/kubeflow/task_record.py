"""A task's state, start, end and error, in a file beside its artifacts: KFP keeps no artifact of a
task that failed.
"""

import json
import pathlib
import time
from types import TracebackType
from typing import Any, Literal

from schema.base import Strict
from schema.storage import object_store

FILE = "task.json"


class TaskRecord(Strict):
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


class Recorded:
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
        with object_store.written(self._place) as folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            pathlib.Path(folder, FILE).write_text(json.dumps(record.model_dump()), encoding="utf-8")
