"""The outcome of a run, from its tasks' records."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Literal

from components.kubeflow.task_record import TaskRecord
from schema.errors import DataRefused, NotBlessed

Outcome = Literal["succeeded", "cached", "refused", "failed"]
Upstream = Mapping[str, list[str]]
"""Tasks that a task waits for, by name; each after those that it waits for. The last one waits for
all others, if not at once, and never comes from the cache."""
RecordsByTask = Mapping[str, TaskRecord | None]
"""Records of the tasks that left anything; None for one without a record."""
_REFUSALS = {NotBlessed.__name__, DataRefused.__name__}
_NEVER_STARTED = "it left a log but no record: its container ended before Tandem started"
_KILLED = (
    "it started and never finished: it was killed (out of memory, perhaps), or the run was "
    "stopped; look at its pod"
)
_NOTHING = (
    "no task of this run recorded a failure. {first} is the first of those that left nothing, nor "
    "did any task after them{others}: the driver of one of them failed, while others may have come "
    "from the cache; look at the run's page"
)


@dataclasses.dataclass(frozen=True)
class RunEnd:
    """The outcome, and where it is `refused` or `failed` the first task to fail and its error."""

    outcome: Outcome
    task: str | None = None
    error: str = ""


def determine_end(upstream: Upstream, left: RecordsByTask, never_cached: set[str]) -> RunEnd:
    """The state that KFP tells an exit handler is not looked at: where a launcher was killed, or a
    driver failed, it stays RUNNING (`UpdateDAGExecutionsState` in its backend/src/v2/metadata).
    """
    last = left.get(list(upstream)[-1])
    if last is not None and last.state == "complete":
        return RunEnd("succeeded" if set(left) - never_cached else "cached")
    failed = list(_find_failures(upstream, left))
    if not failed:
        return _find_unrecorded_failure(upstream, left)
    _, _, task, kind, error = min(failed)
    return RunEnd("refused" if kind in _REFUSALS else "failed", task, error)


def _find_failures(
    upstream: Upstream, left: RecordsByTask
) -> Iterator[tuple[float, int, str, str, str]]:
    """Time, number and name of each task that failed, the kind of error and its message. Nobody
    knows when a task was killed: those come after all others, in the order of tasks.
    """
    for number, task in enumerate(upstream):
        if task not in left:
            continue
        record = left[task]
        if record is None:
            yield float("inf"), number, task, "", _NEVER_STARTED
        elif record.state == "failed":
            yield record.ended_at or record.began_at, number, task, record.kind, record.error
        elif record.state == "began":
            yield float("inf"), number, task, "", _KILLED


def _find_unrecorded_failure(upstream: Upstream, left: RecordsByTask) -> RunEnd:
    done = set(left)
    for task in reversed(list(upstream)):
        if task in done:
            done.update(upstream[task])
    first, *others = [task for task in upstream if task not in done]
    named = f" ({', '.join(others)})" if others else ""
    return RunEnd("failed", first, _NOTHING.format(first=first, others=named))
