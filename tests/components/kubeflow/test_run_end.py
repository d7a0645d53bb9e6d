"""The outcome of a run from its tasks' records, for a DAG of two branches that join at the end."""

from typing import Any

import pytest

from components.kubeflow import run_end
from components.kubeflow.run_end import RunEnd
from components.kubeflow.task_record import TaskRecord

UPSTREAM = {
    "Ingest": [],
    "Train": ["Ingest"],
    "Index": ["Train"],
    "Rank": ["Train"],
    "Push": ["Index", "Rank"],
    "Gate": ["Push"],
}


def record(began_at, state: Any = "complete", **more):
    ended = None if state == "began" else began_at + 1
    return TaskRecord(state=state, began_at=began_at, ended_at=ended, **more)


def all_well():
    return {name: record(number) for number, name in enumerate(UPSTREAM)}


def end(records):
    return run_end.determine_end(UPSTREAM, records, {"Gate"})


def test_all_tasks_succeeded():
    assert end(all_well()) == RunEnd("succeeded")


def test_cached_tasks_have_no_record_and_the_others_succeeded():
    assert end({"Rank": record(1), "Gate": record(2)}) == RunEnd("succeeded")


def test_all_tasks_were_cached():
    assert end({"Gate": record(1)}) == RunEnd("cached")


@pytest.mark.parametrize("kind", ["NotBlessed", "DataRefused"])
def test_models_or_data_were_refused(kind):
    refused = record(7, "failed", kind=kind, error="ndcg@10: too low")
    assert end(all_well() | {"Gate": refused}) == RunEnd("refused", "Gate", "ndcg@10: too low")


def test_the_first_of_two_that_failed_is_named():
    records = {
        "Ingest": record(0),
        "Train": record(1),
        "Index": TaskRecord(state="failed", began_at=2, ended_at=9, kind="OSError", error="full"),
        "Rank": TaskRecord(state="failed", began_at=3, ended_at=5, kind="ValueError", error="nan"),
    }
    assert end(records) == RunEnd("failed", "Rank", "nan")


def test_a_killed_task_is_reported_as_killed():
    result = end({"Ingest": record(0), "Train": record(1, "began")})
    assert (result.outcome, result.task) == ("failed", "Train")
    assert "killed" in result.error


def test_a_task_that_did_not_start_left_only_a_log():
    result = end({"Ingest": record(0), "Train": None})
    assert (result.outcome, result.task) == ("failed", "Train")
    assert "before Tandem started" in result.error


def test_a_failure_with_a_reason_is_named_before_one_without():
    records = {
        "Ingest": record(0),
        "Train": record(1),
        "Index": record(2, "began"),
        "Rank": record(3, "failed", kind="OSError", error="full"),
    }
    assert end(records) == RunEnd("failed", "Rank", "full")


@pytest.mark.parametrize(
    ("records", "first"),
    [
        (["Ingest"], "Train"),
        (["Train"], "Index"),  # Ingest came from the cache
        (["Ingest", "Train", "Rank"], "Index"),
        (["Rank"], "Index"),  # Train came from the cache
        (["Ingest", "Train", "Index", "Rank", "Push"], "Gate"),
        ([], "Ingest"),
    ],
)
def test_after_a_driver_failure_the_first_task_without_output_is_named(records, first):
    result = end({name: record(number) for number, name in enumerate(records)})
    assert (result.outcome, result.task) == ("failed", first)
    assert f"{first} is the first task without output" in result.error


def test_other_tasks_without_output_are_named_too():
    result = end({"Train": record(0), "Rank": record(1)})
    assert "(Push, Gate)" in result.error
