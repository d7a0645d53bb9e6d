"""The exit handler: writes how a run ended, whatever became of it."""

import datetime
import json
from collections.abc import Mapping
from typing import Any

from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio

from components import push_outcome
from components.artifact_types import Verdict
from components.local_artifacts import on_local_disk, stored_at
from components.push_outcome import PushOutcome
from schema import object_store

NAME = "RunVerdict"
FILE = "verdict.json"


@component
@on_local_disk
def RunVerdict(
    verdict: OutputArtifact[Verdict],
    final_status: Parameter[str],
    folder: Parameter[str],
) -> None:
    """Writes `<folder>/<run>.json`, and the same as `verdict.json` of the artifact.

    `final_status` is the JSON of KFP's PipelineTaskFinalStatus. An exit handler is given no other
    task's output, so what the Pusher decided is read where Kubeflow keeps the artifacts of this
    run: beside its own.
    """
    run_root = stored_at(verdict.uri).rpartition(f"/{NAME}")[0]
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    found = described(json.loads(final_status), push_outcome.of_run(run_root), now)
    with object_store.written(folder) as place:
        _write(found, f"{place}/{found['run']}.json")
    _write(found, f"{verdict.uri}/{FILE}")


def described(
    status: Mapping[str, Any], outcome: PushOutcome | None, finished_at: str
) -> dict[str, Any]:
    """The verdict. `blessed` is None where the Pusher was not reached, or nothing had changed since
    a run whose Pusher was.
    """
    return {
        "run": status["pipelineJobResourceName"].rpartition("/")[2],
        "state": status["state"],
        "error": status.get("error", {}).get("message", ""),
        "blessed": None if outcome is None else not outcome.failures,
        "failures": [] if outcome is None else outcome.failures,
        "pushed": None if outcome is None else outcome.version,
        "finished_at": finished_at,
    }


def _write(found: dict[str, Any], path: str) -> None:
    fileio.makedirs(path.rpartition("/")[0])
    with fileio.open(path, "w") as file:
        file.write(json.dumps(found, indent=1))
