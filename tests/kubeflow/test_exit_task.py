"""What KFP passes to an exit task after success, failure and a kill."""

from tests.kubeflow.executions import COMPLETE
from tests.kubeflow.hand_written import (
    FAIL,
    NOTE,
    build_executors,
    component,
    container,
    task,
    write_document,
)

KILL = NOTE + "; import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def write_exit_task(path, read_notes, code):
    """`all` is a DAG of `a`, then `b`; its exit task writes the status that it receives."""
    inner = {"dag": {"tasks": {"a": task("a"), "b": task("b", "a")}}}
    inputs = {"parameters": {"status": {"taskFinalStatus": {"producerTask": "all"}}}}
    policy = {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    tasks = {
        "all": task("all"),
        "last": task("last", "all", inputs=inputs, triggerPolicy=policy, cachingOptions={}),
    }
    status = (
        "import sys, json; s = json.loads(sys.argv[2]);"
        "open(sys.argv[1], 'a').write(s['pipelineTaskName'] + '=' + s['state'])"
    )
    executors = build_executors(read_notes, "b", code) | build_executors(read_notes, "a")
    executors["last"] = container(status, read_notes.file, "{{$.inputs.parameters['status']}}")
    declared = {"all": inner, "last": component("last", status="TASK_FINAL_STATUS")}
    return write_document(path, tasks, executors, declared)


def test_the_exit_task_runs_after_success_and_after_failure(backend, read_notes, tmp_path):
    good = backend.run(write_exit_task(tmp_path / "d.yaml", read_notes, NOTE))
    assert read_notes() == ["a", "b", "all=COMPLETE"]
    assert good.succeeded
    bad = backend.run(write_exit_task(tmp_path / "d.yaml", read_notes, FAIL))
    assert read_notes() == ["b", "all=FAILED"]
    assert not bad.succeeded
    assert bad.tasks_in(COMPLETE) == {"last"}


def test_an_exit_task_of_cached_tasks_receives_no_final_state(backend, read_notes, tmp_path):
    path = write_exit_task(tmp_path / "d.yaml", read_notes, NOTE)
    backend.run(path)
    read_notes()
    assert backend.run(path).succeeded
    assert read_notes() == ["all=RUNNING"]


def test_an_exit_task_of_a_killed_task_receives_no_final_state(backend, read_notes, tmp_path):
    run = backend.run(write_exit_task(tmp_path / "d.yaml", read_notes, KILL))
    assert read_notes() == ["a", "b", "all=RUNNING"]
    assert not run.succeeded
    assert run.tasks_in(COMPLETE) == {"a", "last"}
    assert not list((tmp_path / "root").glob("by-hand/run-1/b/*/executor-logs-0"))


def test_an_exit_task_after_a_failed_driver_receives_no_final_state(backend, read_notes, tmp_path):
    run = backend.run(write_exit_task(tmp_path / "d.yaml", read_notes, NOTE), broken_driver="b")
    assert read_notes() == ["a", "all=RUNNING"]
    assert not run.succeeded
    assert set(run.executions) == {"a", "last"}
