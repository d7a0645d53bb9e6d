"""TFX component: pushes the three servables as one version if evaluation and infra check pass."""

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
    """Pushes the servables if they are blessed or the push is forced. Otherwise it pushes nothing,
    and raises NotBlessed unless `refusal_fails` is 0. In both cases it writes the outcome into the
    artifact (see `push_outcome`).

    Args:
        servables: Servables that Recommender exported.
        candidates: Their candidates, which are pushed with them.
        evaluation_result: Contains evaluated.json.
        verdict: The evaluator's verdict.
        infra_verdict: A dependency only: a failed infra check has already stopped the run and
            cannot be overridden.
        pushed: Receives the outcome; its properties name the pushed version.
        serving_dir: Folder or URL of the pushed versions.
        run: JSON of RunIdentity.
        forced: JSON with `who` and `why` to push models that are not blessed, which is recorded
            with the version and in the artifact's properties; "" to refuse them.
        refusal_fails: 0 to end without an error if the models are not blessed.
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
    """The evaluation's failures; empty if the models are blessed."""
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
    """Pushes the servables with the files that later runs need to query this version again: its
    origin and candidates. The artifacts of this run may be deleted by then.
    """
    source = pathlib.Path(path_utils.serving_model_dir(servables.uri))
    with tempfile.TemporaryDirectory(prefix="tandem-") as folder:
        origin_path = pathlib.Path(folder, ORIGIN_FILE)
        write_origin(origin, origin_path)
        models = {name: source / name for name in SERVABLES}
        extra = {
            f"{EXTRA_FOLDER}/{ORIGIN_FILE}": origin_path,
            f"{EXTRA_FOLDER}/{CANDIDATES_FOLDER}": pathlib.Path(candidates.uri),
        }
        return open_version_store(serving_dir).push(models, {RECOMMENDER: extra})
