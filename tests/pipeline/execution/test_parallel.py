"""Several nodes of a DAG at once, each in its own process."""

import json
import logging
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from pipeline.execution import node_process
from pipeline.execution.parallel import NodePlan
from schema.errors import DataRefused, StageKilled
from tests.pipeline.execution import nodes

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module", autouse=True)
def _server():
    node_process.start_server()


def test_independent_nodes_run_at_the_same_time(tmp_path):
    """Each of the first two ends only when the other has begun."""
    actions = {"one": "wait two.begun", "two": "wait one.begun", "last": "pass"}
    assert sorted(nodes.run(tmp_path, actions)) == ["last", "one", "two"]


def test_a_limit_of_one_runs_node_after_node(tmp_path):
    actions = {"one": "pass", "two": "wait one.ended", "last": "pass"}
    assert nodes.run(tmp_path, actions, limit=1) == ["one", "two", "last"]


def test_the_last_node_waits_for_all_others(tmp_path):
    """`last` depends on `one` alone, and finds `two` ended."""
    actions = {"one": "pass", "two": "wait one.ended", "last": "pass"}
    assert nodes.run(tmp_path, actions) == ["one", "two", "last"]


def test_a_node_starts_when_what_it_needs_has_finished():
    plan = NodePlan({"a": set(), "b": {"a"}, "c": set(), "d": {"b", "c"}})
    assert [plan.pop_ready(), plan.pop_ready(), plan.pop_ready()] == ["a", "c", None]
    plan.finished = {"a", "c"}
    assert [plan.pop_ready(), plan.pop_ready()] == ["b", None]


def test_the_first_failure_is_raised_and_running_nodes_finish(tmp_path):
    actions = {"one": "refuse expected rows, received none", "two": "wait one.begun", "last": ""}
    with pytest.raises(DataRefused, match=re.escape("expected rows, received none")):
        nodes.run(tmp_path, actions)
    assert (tmp_path / "two.ended").exists()
    assert not (tmp_path / "last.begun").exists()
    (tmp_path / "two.begun").unlink()
    assert sorted(nodes.run(tmp_path, actions | {"one": "pass"})) == ["last", "one", "two"]
    assert not (tmp_path / "two.begun").exists(), "the cache has its result"
    assert "Traceback" in (tmp_path / "run.log").read_text()


def test_an_exception_that_cannot_be_pickled_arrives_as_text(tmp_path):
    with pytest.raises(RuntimeError, match="CannotBePickled: one and two"):
        nodes.run(tmp_path, {"one": "unpicklable"})


def test_a_killed_process_is_named_with_its_signal(tmp_path):
    with pytest.raises(StageKilled, match="expected one to finish, but .* ended with SIGKILL"):
        nodes.run(tmp_path, {"one": "die"})


def test_progress_says_of_which_stage_it_is(tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="tandem.progress"):
        nodes.run(tmp_path, {"one": "report half", "two": "report all"})
    shown = {(record.__dict__["stage"], record.getMessage()) for record in caplog.records
             if record.name == "tandem.progress"}  # fmt: skip
    assert shown == {("one", "progress=half"), ("two", "progress=all")}


def test_nodes_end_with_the_run(tmp_path):
    """A run that is killed leaves no process behind that would write to the next run's files."""
    actions = {"one": "wait never", "two": "wait never", "last": "pass"}
    command = [sys.executable, "-m", "tests.pipeline.execution.run_nodes", str(tmp_path)]
    run = subprocess.Popen([*command, json.dumps(actions)], cwd=CHECKOUT, env=os.environ)
    for name in ("one", "two"):
        nodes.wait_for(tmp_path / f"{name}.begun")
    time.sleep(0.1)  # the file exists before its text does
    children = [int((tmp_path / f"{name}.begun").read_text()) for name in ("one", "two")]
    run.send_signal(signal.SIGKILL)
    run.wait()
    end = time.monotonic() + 20
    while any(map(is_running, children)):
        assert time.monotonic() < end, "expected no process of the run, found one"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Whether the process exists and has not ended."""
    stat = pathlib.Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
