"""The baseline of a run: an unchanged run has the same baseline as before."""

import json
import pathlib

import pytest

from pipeline.config.config import load_config
from pipeline.push_plan import plan_local_push, plan_remote_push
from serving.versions.origin import ModelEvaluation, Origin, get_extra_folder, write_origin

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = "a digest of the data"


@pytest.fixture(scope="module")
def shop():
    return load_config(ROOT / "configs" / "simulated.toml")


@pytest.fixture
def pushed(tmp_path):
    """Creates a version of a run whose baseline was `baseline`."""

    def call(version, made_by, baseline):
        folder = get_extra_folder(tmp_path, version)
        folder.mkdir(parents=True)
        evaluated = ModelEvaluation(
            order="retrieval",
            history_length=5,
            ranking_candidates=3,
            learned_until=99,
            judged_against=baseline,
        )
        origin = Origin(made_by=made_by, evaluated=evaluated, pushed_at="", forced=None)
        write_origin(origin, folder / "origin.json")

    return call


def change_config(shop, **sections):
    updates = {name: getattr(shop, name).model_copy(update=new) for name, new in sections.items()}
    return shop.model_copy(update=updates)


def test_the_first_run_is_compared_with_nothing(shop, tmp_path):
    local_push = plan_local_push(shop, DATA, tmp_path / "serving", None)
    assert local_push.baseline_version == ""
    assert local_push.run_identity.pipeline == "simulated"
    assert local_push.override == ""


def test_an_unchanged_run_is_compared_with_the_same_version(shop, pushed, tmp_path):
    made_by = plan_local_push(shop, DATA, tmp_path, None).run_identity
    pushed("1", made_by, "")
    assert plan_local_push(shop, DATA, tmp_path, None).baseline_version == ""
    pushed("2", made_by, "1")
    assert plan_local_push(shop, DATA, tmp_path, None).baseline_version == "1"


@pytest.mark.parametrize(
    "sections",
    [
        {"retrieval": {"epochs": 99}},
        {"index": {"kind": "exact"}},
        {"blessing": {"bias_baseline": True}},
    ],
)
def test_a_changed_run_is_compared_with_the_newest(shop, pushed, tmp_path, sections):
    pushed("1", plan_local_push(shop, DATA, tmp_path, None).run_identity, "")
    assert (
        plan_local_push(change_config(shop, **sections), DATA, tmp_path, None).baseline_version
        == "1"
    )


def test_changed_data_and_another_seed_make_another_run(shop, pushed, tmp_path):
    pushed("1", plan_local_push(shop, DATA, tmp_path, None).run_identity, "")
    assert plan_local_push(shop, "other data", tmp_path, None).baseline_version == "1"
    other = shop.model_copy(update={"seed": shop.seed + 1})
    assert plan_local_push(other, DATA, tmp_path, None).baseline_version == "1"


def test_settings_that_do_not_affect_the_models_make_no_other_run(shop, pushed, tmp_path):
    pushed("1", plan_local_push(shop, DATA, tmp_path, None).run_identity, "")
    same = change_config(shop, tune={"trials": 3}, beam={"args": ["--direct_num_workers=2"]})
    assert plan_local_push(same, DATA, tmp_path, None).baseline_version == ""


def test_going_back_to_an_earlier_run_is_a_change(shop, pushed, tmp_path):
    pushed("1", plan_local_push(shop, DATA, tmp_path, None).run_identity, "")
    fewer = change_config(shop, ranking={"epochs": 1})
    pushed("2", plan_local_push(fewer, DATA, tmp_path, None).run_identity, "1")
    assert plan_local_push(shop, DATA, tmp_path, None).baseline_version == "2"


def test_a_version_of_unknown_origin_is_compared_with(shop, tmp_path):
    (tmp_path / "recommender" / "4").mkdir(parents=True)
    assert plan_local_push(shop, DATA, tmp_path, None).baseline_version == "4"


def test_the_forcing_user_comes_from_the_operating_system(shop, tmp_path, monkeypatch):
    monkeypatch.setenv("LOGNAME", "ann")
    local_push = plan_local_push(shop, DATA, tmp_path, "the shop's new shelf")
    assert json.loads(local_push.override) == {"who": "ann", "why": "the shop's new shelf"}


def test_on_kubeflow_the_newest_version_is_resolved_late(shop):
    remote_push = plan_remote_push(shop)
    assert (
        remote_push.baseline_version,
        remote_push.run_identity.fingerprint,
        remote_push.override,
    ) == (
        "newest",
        "",
        "",
    )


def test_the_oldest_version_is_evaluated_if_requested(shop, pushed, tmp_path):
    earlier = plan_local_push(shop, "an earlier day", tmp_path, None).run_identity
    pushed("1", earlier, "")
    pushed("2", earlier.model_copy(update={"fingerprint": "of the day between"}), "1")
    local_push = plan_local_push(shop, DATA, tmp_path, None, evaluate_oldest=True)
    assert (local_push.baseline_version, local_push.comparison_version) == ("2", "1")
    assert plan_local_push(shop, DATA, tmp_path, None).comparison_version == ""


def test_a_run_is_not_compared_with_itself(shop, pushed, tmp_path):
    assert (
        plan_local_push(shop, DATA, tmp_path, None, evaluate_oldest=True).comparison_version == ""
    )
    pushed("1", plan_local_push(shop, DATA, tmp_path, None).run_identity, "")
    assert (
        plan_local_push(shop, DATA, tmp_path, None, evaluate_oldest=True).comparison_version == ""
    )
