"""What KFP tells an exit task, however the tasks before it ended."""

from tests.kubeflow.executions import COMPLETE
from tests.kubeflow.hand_written import FAIL, NOTE, component, container, noting, task, written

KILL = NOTE + "; import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def with_exit_task(path, noted, code):
    """`all`, a DAG of `a` and then `b`, whose exit task notes what it is told."""
    inner = {"dag": {"tasks": {"a": task("a"), "b": task("b", "a")}}}
    result = {"parameters": {"status": {"taskFinalStatus": {"producerTask": "all"}}}}
    policy = {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    tasks = {
        "all": task("all"),
        "last": task("last", "all", inputs=result, triggerPolicy=policy, cachingOptions={}),
    }
    status = (
        "import sys, json; s = json.loads(sys.argv[2]);"
        "open(sys.argv[1], 'a').write(s['pipelineTaskName'] + '=' + s['state'])"
    )
    executors = noting(noted, "b", code) | noting(noted, "a")
    executors["last"] = container(status, noted.file, "{{$.inputs.parameters['status']}}")
    declared = {"all": inner, "last": component("last", status="TASK_FINAL_STATUS")}
    return written(path, tasks, executors, declared)


def test_the_exit_task_runs_after_success_and_after_failure(backend, noted, tmp_path):
    good = backend.run(with_exit_task(tmp_path / "d.yaml", noted, NOTE))
    assert noted() == ["a", "b", "all=COMPLETE"]
    assert good.succeeded
    bad = backend.run(with_exit_task(tmp_path / "d.yaml", noted, FAIL))
    assert noted() == ["b", "all=FAILED"]
    assert not bad.succeeded
    assert bad.ended(COMPLETE) == {"last"}


def test_an_exit_task_gets_no_end_of_cached_tasks(backend, noted, tmp_path):
    path = with_exit_task(tmp_path / "d.yaml", noted, NOTE)
    backend.run(path)
    noted()
    assert backend.run(path).succeeded
    assert noted() == ["all=RUNNING"]


def test_an_exit_task_gets_no_status_of_a_killed_task(backend, noted, tmp_path):
    run = backend.run(with_exit_task(tmp_path / "d.yaml", noted, KILL))
    assert noted() == ["a", "b", "all=RUNNING"]
    assert not run.succeeded
    assert run.ended(COMPLETE) == {"a", "last"}
    assert not list((tmp_path / "root").glob("by-hand/run-1/b/*/executor-logs-0"))


def test_nor_of_one_whose_driver_failed(backend, noted, tmp_path):
    run = backend.run(with_exit_task(tmp_path / "d.yaml", noted, NOTE), broken_driver="b")
    assert noted() == ["a", "all=RUNNING"]
    assert not run.succeeded
    assert set(run.executions) == {"a", "last"}
