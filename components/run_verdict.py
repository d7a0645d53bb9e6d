"""TFX component: the exit handler of a run on Kubeflow, which records the run's outcome."""

import datetime
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from tfx.components.evaluator import constants
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import push_outcome
from components.artifacts.push_outcome import PushOutcome
from components.artifacts.types import Verdict, Words
from components.kubeflow import push_gate, run_end, unreported_run
from components.kubeflow.run_end import RunEnd
from components.kubeflow.task_record import list_tasks, load_record, read_output
from components.kubeflow.verdict_markdown import format_verdict
from schema.storage import object_store

NAME = "RunVerdict"
FILE = "verdict.json"
WORDS = "verdict.md"
_OUTCOMES = ((push_gate.NAME, push_gate.OUTCOME), ("Pusher", f"pushed/{push_outcome.FILE}"))
"""Tasks and files with the Pusher's outcome, in order of preference: PushGate also has the outcome
of a cached Pusher."""


@component
def RunVerdict(
    verdict: OutputArtifact[Verdict],
    words: OutputArtifact[Words],
    final_status: Parameter[str],
    run: Parameter[str],
    tasks: Parameter[str],
    never_cached: Parameter[str],
    root: Parameter[str],
) -> None:
    """Writes the run's verdict, and publishes the data pages of a run that ended before its report.

    Kubeflow passes no other task's output to an exit handler, so it reads those of this run from
    the folder that also holds its own.

    Args:
        verdict: Receives `verdict.json`.
        words: Receives the verdict in Markdown.
        final_status: JSON of KFP's PipelineTaskFinalStatus.
        run: KFP's ID of the run.
        tasks: JSON of `run_end.Upstream`.
        never_cached: JSON list of the tasks that are never cached.
        root: Folder or URL of the run's results; receives `verdicts/<run>.json`.
    """
    folder = verdict.uri.rpartition(f"/{NAME}/")[0]
    records = {name: load_record(folder, name) for name in list_tasks(folder) - {NAME}}
    end = run_end.determine_end(json.loads(tasks), records, set(json.loads(never_cached)))
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    described = describe_run(run, json.loads(final_status), end, _read_push_outcome(folder)) | {
        "finished_at": now
    }
    text = json.dumps(described, indent=1)
    _write(text, f"{root}/verdicts", f"{run}.json")
    _write(text, verdict.uri, FILE)
    _write(format_verdict(described), words.uri, WORDS)
    words.uri = f"{words.uri}/{WORDS}"  # KFP's page opens the file of the URI
    if push_gate.NAME not in records:  # PushGate runs after the report
        unreported_run.publish(folder, root)


def describe_run(
    run: str, status: Mapping[str, Any], end: RunEnd, outcome: PushOutcome | None
) -> dict[str, Any]:
    """Returns the verdict as JSON values; `blessed` is None if no models were evaluated.

    Args:
        run: KFP's ID of the run.
        status: KFP's PipelineTaskFinalStatus.
        end: How the run ended, from the records of its tasks.
        outcome: The Pusher's outcome; None if no models were evaluated.
    """
    return {
        "run": run,
        "workflow": status["pipelineJobResourceName"].rpartition("/")[2],
        "outcome": end.outcome,
        "failed_task": end.task,
        "error": end.error,
        "state": status["state"],
        "blessed": None if outcome is None else not outcome.failures,
        "failures": [] if outcome is None else outcome.failures,
        "pushed": None if outcome is None else outcome.version,
    }


def _read_push_outcome(root: str) -> PushOutcome | None:
    """The Pusher's outcome; if the Pusher did not run, the Evaluator's failures."""
    for task, file in _OUTCOMES:
        if (content := read_output(root, task, file)) is not None:
            return PushOutcome.model_validate_json(content)
    for name in (constants.BLESSED_FILE_NAME, constants.NOT_BLESSED_FILE_NAME):
        if (content := read_output(root, "Evaluator", f"verdict/{name}")) is not None:
            return PushOutcome(failures=content.decode().splitlines(), version=None)
    return None


def _write(text: str, location: str, name: str) -> None:
    with object_store.open_output_folder(location) as folder:
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        pathlib.Path(folder, name).write_text(text, encoding="utf-8")
