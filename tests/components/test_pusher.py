"""Nothing is pushed that evaluation did not bless; what is blessed is pushed whole."""

import json
import pathlib

import pytest
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components import evaluator
from components.pusher import Pusher
from schema.errors import NotBlessed
from schema.signatures import SERVABLES


@pytest.fixture
def push(tmp_path):
    """Calls the component on three small servables with the evaluator's own verdict."""
    servables = standard_artifacts.Model()
    servables.uri = str(tmp_path / "servables")
    for name in SERVABLES:
        folder = pathlib.Path(path_utils.serving_model_dir(servables.uri), name)
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_text(f"graph of {name}")

    def call(failures: list[str]) -> standard_artifacts.PushedModel:
        verdict, infra = standard_artifacts.ModelBlessing(), standard_artifacts.InfraBlessing()
        verdict.uri = str(tmp_path / "verdict")
        (tmp_path / "verdict").mkdir(exist_ok=True)  # the orchestrator's part
        evaluator._write_verdict(verdict, failures)
        pushed = standard_artifacts.PushedModel()
        Pusher.test_call(
            servables=servables,
            verdict=verdict,
            infra_verdict=infra,
            pushed=pushed,
            serving_dir=str(tmp_path / "serving"),
        )
        return pushed

    return call


def files_below(folder: pathlib.Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def test_blessed_models_are_pushed_under_one_version(push, tmp_path):
    pushed = push([])
    described = json.loads(pushed.get_string_custom_property("servables"))
    assert described == {
        name: {"path": str(tmp_path / "serving" / name / "1"), "version": 1} for name in SERVABLES
    }
    assert files_below(tmp_path / "serving") == {
        f"{name}/1/saved_model.pb": f"graph of {name}" for name in SERVABLES
    }


def test_models_that_are_not_blessed_are_not_pushed_and_say_why(push, tmp_path):
    failures = ["ndcg@10: expected more than 0.2, received 0.1", "recall@10: too low"]
    with pytest.raises(NotBlessed) as caught:
        push(failures)
    assert caught.value.exit_code == 4
    assert all(failure in str(caught.value) for failure in failures)
    assert not (tmp_path / "serving").exists()


def test_the_version_before_a_refused_one_stays_as_it_was(push, tmp_path):
    push([])
    before = files_below(tmp_path / "serving")
    with pytest.raises(NotBlessed):
        push(["ndcg@10: expected more than 0.2, received 0.1"])
    assert files_below(tmp_path / "serving") == before
