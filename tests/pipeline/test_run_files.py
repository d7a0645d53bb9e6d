"""Planted successive runs, read back with TensorBoard's own reader."""

import pathlib

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from pipeline.run_files import collect_scalars, write_quality_step
from pipeline.run_root import RunRoot
from schema.run_summary import RunSummary
from tests.pipeline.run_summaries import make_summary


def summary(ndcg: float, pushed: bool, **parts: object) -> RunSummary:
    region = {"gap": {"value": 0.0625, "low": 0.0, "high": 0.125}, "metric": "ndcg@10"}
    return make_summary(
        retrieval={
            "ndcg@10": ndcg - 0.125, "users": 40, "intervals": {"ndcg@10": {"low": 0, "high": 1}},
            "baselines": {"popular": {"ndcg@10": 0.25}},
        },
        ranking={
            "ndcg@10": ndcg, "coverage@10": 0.5, "order": "ranking",
            "labels": {
                "rating": {"kind": "regression", "events": 9, "rmse": 0.75,
                           "bias_baseline_rmse": 1.5},
                "gift": {"kind": "binary", "events": 0, "note": "constant"},
            },
        },
        fairness={
            "users": {
                "users.region": region,
                "users.age": {"note": "no gap", "metric": "ndcg@10"},
            },
            "items": {"items.category": {"gap": 0.375, "metric": "exposure@10"}},
        },
        verdict={"blessed": pushed, "rules": []},
        servables={"ranking": {"version": 1, "path": "/"}} if pushed else {},
        **parts,
    )  # fmt: skip


@pytest.fixture
def at(tmp_path):
    return RunRoot(tmp_path)


def lines(at: RunRoot, run: str) -> dict[str, list[tuple[int, float]]]:
    """Values sorted by step, because files of the same second are read in any order."""
    folder: pathlib.Path = at.tensorboard / "quality" / run
    events = EventAccumulator(str(folder)).Reload()
    return {
        tag: sorted(
            (e.step, float(tensor_util.make_ndarray(e.tensor_proto))) for e in events.Tensors(tag)
        )
        for tag in events.Tags()["tensors"]
    }


def test_successive_runs_are_a_line(at):
    write_quality_step(summary(0.5, True), at, 1)
    write_quality_step(summary(0.25, False), at, 2)
    ours = lines(at, "final_lists")
    assert ours["quality/ndcg@10"] == [(1, 0.5), (2, 0.25)]
    assert ours["verdict/pushed"] == ours["verdict/blessed"] == [(1, 1.0), (2, 0.0)]
    assert lines(at, "retrieval") == {"quality/ndcg@10": [(1, 0.375), (2, 0.125)]}
    assert lines(at, "popular") == {"quality/ndcg@10": [(1, 0.25), (2, 0.25)]}


def test_a_run_whose_evaluation_was_cached_adds_nothing(at):
    write_quality_step(summary(0.5, True), at, 1)
    write_quality_step(summary(0.75, True), at, 1)
    assert lines(at, "final_lists")["quality/ndcg@10"] == [(1, 0.5)]


def test_the_tenth_run_is_not_confused_with_the_first(at):
    write_quality_step(summary(0.5, True), at, 11)
    write_quality_step(summary(0.75, True), at, 1)
    assert len(lines(at, "final_lists")["quality/ndcg@10"]) == 2


def test_labels_and_gaps_that_were_measured_have_points(at):
    scalars = collect_scalars(summary(0.5, True))
    assert scalars["final_lists"] == {
        "quality/ndcg@10": 0.5, "quality/coverage@10": 0.5, "labels/rating rmse": 0.75,
        "fairness/users.region gap": 0.0625, "fairness/items.category gap": 0.375,
        "verdict/blessed": 1.0, "verdict/pushed": 1.0,
    }  # fmt: skip
    assert scalars["bias_baseline"] == {"labels/rating rmse": 1.5}


def test_comparison_models_have_their_own_lines(at):
    extra_files = {
        "never_retrained": {"ndcg@10": 0.375, "version": 1, "path": "/"},
        "left_alone": {"version": 1, "path": "/", "failure": "no origin"},
    }
    scalars = collect_scalars(summary(0.5, True, beside=extra_files))
    assert scalars["never_retrained"] == {"quality/ndcg@10": 0.375}
    assert "left_alone" not in scalars
