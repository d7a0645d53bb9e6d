"""Only blessed models are pushed, and all of them."""

import datetime
import json
import pathlib

import pytest
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components import evaluator
from components.artifacts import push_outcome
from components.artifacts.push_outcome import PushOutcome
from components.artifacts.types import Candidates
from components.pusher import Pusher
from schema.errors import NotBlessed
from schema.signatures import SERVABLES
from serving.versions.origin import ModelEvaluation, RunIdentity, read_origin

RUN = RunIdentity(pipeline="shop", fingerprint="f", seed=1)
EVALUATED = ModelEvaluation(
    order="ranking",
    history_length=5,
    ranking_candidates=3,
    learned_until=99,
    judged_against="",
)

ORIGIN = "recommender/1/assets.extra/origin.json"


@pytest.fixture
def push(tmp_path):
    """Calls the component on three small servables with the evaluator's own verdict."""
    servables = standard_artifacts.Model()
    servables.uri = str(tmp_path / "servables")
    for name in SERVABLES:
        folder = pathlib.Path(path_utils.serving_model_dir(servables.uri), name)
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_text(f"graph of {name}")

    candidates, evaluation = Candidates(), standard_artifacts.ModelEvaluation()
    candidates.uri, evaluation.uri = str(tmp_path / "candidates"), str(tmp_path / "evaluation")
    for uri in (candidates.uri, evaluation.uri):
        pathlib.Path(uri).mkdir()
    pathlib.Path(candidates.uri, "vectors.npy").write_text("vectors")
    pathlib.Path(evaluation.uri, "evaluated.json").write_text(EVALUATED.model_dump_json())

    def call(
        failures: list[str], forced: str = "", refusal_fails: int = 1
    ) -> standard_artifacts.PushedModel:
        verdict, infra = standard_artifacts.ModelBlessing(), standard_artifacts.InfraBlessing()
        verdict.uri = str(tmp_path / "verdict")
        (tmp_path / "verdict").mkdir(exist_ok=True)  # the orchestrator's part
        evaluator._write_verdict(verdict, failures)
        pushed = standard_artifacts.PushedModel()
        pushed.uri = str(tmp_path / "run" / "Pusher" / "3" / "pushed")
        Pusher.test_call(
            servables=servables,
            candidates=candidates,
            evaluation_result=evaluation,
            verdict=verdict,
            infra_verdict=infra,
            pushed=pushed,
            serving_dir=str(tmp_path / "serving"),
            run=RUN.model_dump_json(),
            forced=forced,
            refusal_fails=refusal_fails,
        )
        return pushed

    return call


def files_below(folder: pathlib.Path) -> dict[str, str]:
    result = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in result}


def test_blessed_models_are_pushed_under_one_version(push, tmp_path):
    pushed = push([])
    described = json.loads(pushed.get_string_custom_property("servables"))
    assert described == {
        name: {"path": str(tmp_path / "serving" / name / "1"), "version": 1} for name in SERVABLES
    }
    result = files_below(tmp_path / "serving")
    del result[ORIGIN]
    assert result == {f"{name}/1/saved_model.pb": f"graph of {name}" for name in SERVABLES} | {
        "recommender/1/assets.extra/candidates/vectors.npy": "vectors"
    }


def test_the_outcome_of_a_push_is_written_to_the_run(push, tmp_path):
    push([])
    outcome = push_outcome.read(str(tmp_path / "run/Pusher/3/pushed"))
    assert outcome == PushOutcome(failures=[], version=1)


def test_a_version_records_its_origin(push, tmp_path):
    push([])
    origin = read_origin(tmp_path / "serving" / ORIGIN)
    assert (origin.made_by, origin.evaluated, origin.forced) == (RUN, EVALUATED, None)
    moment = datetime.datetime.fromisoformat(origin.pushed_at)
    age = datetime.datetime.now(datetime.timezone.utc) - moment
    assert datetime.timedelta(seconds=-1) < age < datetime.timedelta(minutes=5)


def test_a_forced_push_records_who_forced_it(push, tmp_path):
    forced = {"who": "ann", "why": "the shop's new shelf"}
    pushed = push(["ndcg@10: expected 0.2, received 0.1"], json.dumps(forced))
    origin = read_origin(tmp_path / "serving" / ORIGIN)
    assert origin.forced is not None
    assert origin.forced.model_dump() == forced | {"at": origin.pushed_at}
    assert json.loads(pushed.get_string_custom_property("forced")) == origin.forced.model_dump()


def test_blessed_models_are_not_marked_as_forced(push, tmp_path):
    pushed = push([], json.dumps({"who": "ann", "why": "to be safe"}))
    assert read_origin(tmp_path / "serving" / ORIGIN).forced is None
    assert pushed.get_string_custom_property("forced") == ""


def test_models_that_are_not_blessed_are_refused_with_the_reasons(push, tmp_path):
    failures = ["ndcg@10: expected more than 0.2, received 0.1", "recall@10: too low"]
    with pytest.raises(NotBlessed) as caught:
        push(failures)
    assert caught.value.exit_code == 4
    assert all(failure in str(caught.value) for failure in failures)
    assert not (tmp_path / "serving").exists()
    outcome = push_outcome.read(str(tmp_path / "run/Pusher/3/pushed"))
    assert outcome == PushOutcome(failures=failures, version=None)


def test_a_refusal_leaves_the_pushed_version_unchanged(push, tmp_path):
    push([])
    before = files_below(tmp_path / "serving")
    with pytest.raises(NotBlessed):
        push(["ndcg@10: expected more than 0.2, received 0.1"])
    assert files_below(tmp_path / "serving") == before


def test_a_refusal_does_not_fail_the_pusher_if_a_gate_follows(push, tmp_path):
    pushed = push(["ndcg@10: too low"], refusal_fails=0)
    assert not (tmp_path / "serving").exists()
    outcome = push_outcome.read(pushed.uri)
    assert outcome == PushOutcome(failures=["ndcg@10: too low"], version=None)
    assert pushed.get_string_custom_property("servables") == "{}"
