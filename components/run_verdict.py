"""The exit handler: writes how a run ended, whatever became of it."""

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
"""Where the Pusher's is found, in this order: the gate has that of a cached one, too."""


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
    """Writes `<root>/verdicts/<run>.json`, and the same as `verdict.json` of the artifact and in
    `words`; of a run that ended before its report, what it has for `root` besides.

    `final_status` is the JSON of KFP's PipelineTaskFinalStatus, `run` the ID that KFP gave the run,
    `tasks` the JSON of `run_end.Upstream`, `never_cached` of the names of those that run each time.
    An exit handler is given no other task's output, so it looks where Kubeflow keeps those of this
    run: beside its own.
    """
    folder = verdict.uri.rpartition(f"/{NAME}/")[0]
    left = {name: load_record(folder, name) for name in list_tasks(folder) - {NAME}}
    end = run_end.determine_end(json.loads(tasks), left, set(json.loads(never_cached)))
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    found = describe_run(run, json.loads(final_status), end, _read_decision(folder)) | {
        "finished_at": now
    }
    text = json.dumps(found, indent=1)
    _write(text, f"{root}/verdicts", f"{run}.json")
    _write(text, verdict.uri, FILE)
    _write(format_verdict(found), words.uri, WORDS)
    words.uri = f"{words.uri}/{WORDS}"  # a page of KFP's opens what the URI names
    if push_gate.NAME not in left:  # which the report is before
        unreported_run.publish(folder, root)


def describe_run(
    run: str, status: Mapping[str, Any], end: RunEnd, decided: PushOutcome | None
) -> dict[str, Any]:
    """The verdict. `blessed` is None where no models were evaluated."""
    return {
        "run": run,
        "workflow": status["pipelineJobResourceName"].rpartition("/")[2],
        "outcome": end.outcome,
        "failed_task": end.task,
        "error": end.error,
        "state": status["state"],
        "blessed": None if decided is None else not decided.failures,
        "failures": [] if decided is None else decided.failures,
        "pushed": None if decided is None else decided.version,
    }


def _read_decision(root: str) -> PushOutcome | None:
    """What the Pusher decided; where it was not reached, what the Evaluator found."""
    for task, file in _OUTCOMES:
        if (content := read_output(root, task, file)) is not None:
            return PushOutcome.model_validate_json(content)
    for name in (constants.BLESSED_FILE_NAME, constants.NOT_BLESSED_FILE_NAME):
        if (content := read_output(root, "Evaluator", f"verdict/{name}")) is not None:
            return PushOutcome(failures=content.decode().splitlines(), version=None)
    return None


def _write(text: str, place: str, name: str) -> None:
    with object_store.open_output_folder(place) as folder:
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        pathlib.Path(folder, name).write_text(text, encoding="utf-8")
