"""Pushes the three servables together, under one version, when evaluation and infra check allow
it.
"""

import datetime
import json
import pathlib
import tempfile

from tfx.components.evaluator import constants
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.artifacts import push_outcome
from components.artifacts.local_copies import use_local_copies
from components.artifacts.push_outcome import PushOutcome
from components.artifacts.types import Candidates
from components.evaluator import EVALUATED
from schema.signatures import RECOMMENDER, SERVABLES
from serving.versions.origin import (
    CANDIDATES_FOLDER,
    EXTRA_FOLDER,
    ORIGIN_FILE,
    ForcedPush,
    ModelEvaluation,
    Origin,
    RunIdentity,
    write_origin,
)
from serving.versions.store import open_version_store


@component
@use_local_copies
def Pusher(
    servables: InputArtifact[standard_artifacts.Model],
    candidates: InputArtifact[Candidates],
    evaluation_result: InputArtifact[standard_artifacts.ModelEvaluation],
    verdict: InputArtifact[standard_artifacts.ModelBlessing],
    infra_verdict: InputArtifact[standard_artifacts.InfraBlessing],
    pushed: OutputArtifact[standard_artifacts.PushedModel],
    serving_dir: Parameter[str],
    run: Parameter[str],
    forced: Parameter[str],
    refusal_fails: Parameter[int],
) -> None:
    """Pushes nothing when the evaluator said no and `forced` is "": raises NotBlessed then, unless
    `refusal_fails` is 0. Either way the artifact's folder says so (`push_outcome`).

    `run` is the JSON of `Run`. `forced` is one of `who` and `why`: it stands beside the version and
    among the artifact's properties where the evaluator said no. `infra_verdict` is a dependency
    only: a failed infra check has stopped the run already, and nobody can force it.
    """
    failures = _read_failures(verdict)
    if failures and not forced:
        _refuse(failures, pushed, bool(refusal_fails))
        return
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    origin = Origin(
        made_by=RunIdentity.model_validate_json(run),
        evaluated=ModelEvaluation.model_validate_json(
            pathlib.Path(evaluation_result.uri, EVALUATED).read_bytes()
        ),
        pushed_at=now,
        forced=ForcedPush(at=now, **json.loads(forced)) if failures else None,
    )
    paths = _push(serving_dir, servables, candidates, origin)
    version = int(paths[RECOMMENDER].rpartition("/")[2])
    push_outcome.write(PushOutcome(failures=failures, version=version), pushed.uri)
    described = {name: {"path": path, "version": version} for name, path in paths.items()}
    pushed.set_string_custom_property("servables", json.dumps(described))
    pushed.set_string_custom_property(
        "forced", origin.forced.model_dump_json() if origin.forced else ""
    )


def _read_failures(verdict: standard_artifacts.ModelBlessing) -> list[str]:
    """What the evaluator found wanting; empty where the models are blessed and nobody has to be
    overridden.
    """
    if verdict.get_int_custom_property("blessed") == constants.BLESSED_VALUE:
        return []
    return verdict.get_string_custom_property("failures").split("\n")


def _refuse(failures: list[str], pushed: standard_artifacts.PushedModel, fails: bool) -> None:
    outcome = PushOutcome(failures=failures, version=None)
    push_outcome.write(outcome, pushed.uri)
    if fails:
        raise push_outcome.build_refusal(outcome)
    pushed.set_string_custom_property("servables", "{}")
    pushed.set_string_custom_property("forced", "")


def _push(
    serving_dir: str,
    servables: standard_artifacts.Model,
    candidates: Candidates,
    origin: Origin,
) -> dict[str, str]:
    """What asking the version again takes goes with it, since nothing else may be left by then."""
    source = pathlib.Path(path_utils.serving_model_dir(servables.uri))
    with tempfile.TemporaryDirectory(prefix="tandem-") as folder:
        written = pathlib.Path(folder, ORIGIN_FILE)
        write_origin(origin, written)
        extra = {
            ORIGIN_FILE: written,
            CANDIDATES_FOLDER: pathlib.Path(candidates.uri),
        }
        models = {name: source / name for name in SERVABLES}
        beside = {f"{EXTRA_FOLDER}/{name}": path for name, path in extra.items()}
        return open_version_store(serving_dir).push(models, {RECOMMENDER: beside})
