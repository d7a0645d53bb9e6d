"""The record of a task, and how the exit handler finds it."""

import time

import pytest

from components.kubeflow.task_record import TaskRecorder, list_tasks, load_record, read_output
from schema.errors import DataRefused
from schema.storage import object_store


@pytest.fixture(params=["folder", "bucket"])
def root(request, tmp_path):
    """Task records of a run."""
    if request.param == "folder":
        return str(tmp_path / "run")
    return f"{request.getfixturevalue('bucket')}/run"


def test_a_successful_task_is_recorded(root):
    before = time.time()
    with TaskRecorder(f"{root}/Train/5a"):
        during = load_record(root, "Train")
    result = load_record(root, "Train")
    assert during is not None
    assert result is not None
    assert (during.state, during.ended_at) == ("began", None)
    assert (result.state, result.error) == ("complete", "")
    assert result.ended_at is not None
    assert before <= result.began_at == during.began_at <= result.ended_at <= time.time()
    assert list_tasks(root) == {"Train"}


def test_a_failed_task_records_the_reason(root):
    with pytest.raises(DataRefused), TaskRecorder(f"{root}/Gate/5a"):
        raise DataRefused("too many records are rejected")
    result = load_record(root, "Gate")
    assert result is not None
    assert (result.state, result.kind) == ("failed", "DataRefused")
    assert result.error == "too many records are rejected"


def test_the_latest_attempt_is_used(root):
    with pytest.raises(OSError, match="space"), TaskRecorder(f"{root}/Train/5a"):
        raise OSError("no space left")
    with TaskRecorder(f"{root}/Train/5a"):
        pass
    result = load_record(root, "Train")
    assert result is not None
    assert result.state == "complete"


def test_a_task_that_did_not_start_has_only_a_log(root, tmp_path):
    if "://" in root:
        (tmp_path / "log").write_text("no such file")
        object_store.upload_file(tmp_path / "log", f"{root}/Train/5a/executor-logs-0")
    else:
        (tmp_path / "run" / "Train" / "5a").mkdir(parents=True)
    assert list_tasks(root) == {"Train"}
    assert load_record(root, "Train") is None


def test_a_missing_run_has_no_records(root):
    assert list_tasks(root) == set()
    assert load_record(root, "Train") is None
    assert read_output(root, "Train", "model/metrics.json") is None


def test_a_task_without_outputs_has_no_record():
    with TaskRecorder(""):
        pass
