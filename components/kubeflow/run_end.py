"""The outcome of a run, derived from the records of its tasks."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Literal

from components.kubeflow.task_record import TaskRecord
from schema.errors import DataRefused, NotBlessed

Outcome = Literal["succeeded", "cached", "refused", "failed"]
Upstream = Mapping[str, list[str]]
"""The tasks that each task depends on, by name, in topological order. The last task depends,
directly or indirectly, on all others and is never cached."""
RecordsByTask = Mapping[str, TaskRecord | None]
"""Records of the tasks that have a folder; None for one without a record."""
_REFUSALS = {NotBlessed.__name__, DataRefused.__name__}
_NEVER_STARTED = "it left a log but no record: its container ended before Tandem started"
_KILLED = (
    "it started and never finished: it was killed (out of memory, perhaps), or the run was "
    "stopped; look at its pod"
)
_NOTHING = (
    "no task of this run recorded a failure; {first} is the first task without output{others}: the "
    "driver of one of these tasks failed, and others may be cached; look at the run's page"
)


@dataclasses.dataclass(frozen=True)
class RunEnd:
    """The outcome and, if it is `refused` or `failed`, the first failed task and its error."""

    outcome: Outcome
    task: str | None = None
    error: str = ""


def determine_end(upstream: Upstream, records: RecordsByTask, never_cached: set[str]) -> RunEnd:
    """Determines the outcome of a run from the records of its tasks.

    It does not use the state that KFP passes to an exit handler: that stays RUNNING if a launcher
    was killed or a driver failed (`UpdateDAGExecutionsState` in KFP's backend/src/v2/metadata).
    """
    last = records.get(list(upstream)[-1])
    if last is not None and last.state == "complete":
        return RunEnd("succeeded" if set(records) - never_cached else "cached")
    failed = list(_find_failures(upstream, records))
    if not failed:
        return _find_unrecorded_failure(upstream, records)
    _, _, task, kind, error = min(failed)
    return RunEnd("refused" if kind in _REFUSALS else "failed", task, error)


def _find_failures(
    upstream: Upstream, records: RecordsByTask
) -> Iterator[tuple[float, int, str, str, str]]:
    """Time, number and name of each failed task, the class of its error, and the message. The time
    at which a task was killed is unknown, so killed tasks sort after all others.
    """
    for number, task in enumerate(upstream):
        if task not in records:
            continue
        record = records[task]
        if record is None:
            yield float("inf"), number, task, "", _NEVER_STARTED
        elif record.state == "failed":
            yield record.ended_at or record.began_at, number, task, record.kind, record.error
        elif record.state == "began":
            yield float("inf"), number, task, "", _KILLED


def _find_unrecorded_failure(upstream: Upstream, records: RecordsByTask) -> RunEnd:
    done = set(records)
    for task in reversed(list(upstream)):
        if task in done:
            done.update(upstream[task])
    first, *others = [task for task in upstream if task not in done]
    named = f" ({', '.join(others)})" if others else ""
    return RunEnd("failed", first, _NOTHING.format(first=first, others=named))
