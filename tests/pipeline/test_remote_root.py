"""The files of a run at a URL, also with two concurrent runs."""

import contextlib
import pathlib
import signal
import sqlite3

import pytest

from pipeline.remote_root import read_snapshot
from pipeline.run_root import RunRoot, open_root, read_summary
from schema.errors import ConcurrentRun, NoRunError, UsageError
from schema.storage import object_store


def record(database: pathlib.Path, stage: str) -> None:
    """Adds a row, as ML Metadata does for a stage."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("create table if not exists stages (name text)")
        connection.execute("insert into stages values (?)", [stage])


def read_stages(database: pathlib.Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return [name for (name,) in connection.execute("select name from stages")]


def read_stored_stages(root: str, tmp_path: pathlib.Path) -> list[str]:
    (tmp_path / "copy").write_bytes(object_store.read(f"{root}/metadata.sqlite"))
    return read_stages(tmp_path / "copy")


def finish_run(root: str, stage: str, summary: str = "") -> None:
    with open_root(root) as at:
        record(at.metadata, stage)
        at.log.write_text("what happened")
        if summary:
            at.summary.write_text(summary)


def test_a_path_is_a_folder_of_this_machine(tmp_path):
    with open_root(str(tmp_path / "run")) as at:
        assert at == RunRoot(tmp_path / "run")
        assert at.location == str(tmp_path / "run")
    assert at.log.exists()


def test_another_machine_resumes_from_the_stored_run(bucket, tmp_path):
    finish_run(f"{bucket}/run", "one")
    with open_root(f"{bucket}/run") as at:
        assert at.location == f"{bucket}/run"
        assert read_stages(at.metadata) == ["one"]
        record(at.metadata, "two")
    assert not at.root.exists()
    assert read_stored_stages(f"{bucket}/run", tmp_path) == ["one", "two"]
    assert object_store.read(f"{bucket}/run/run.log") == b"what happened"


def test_each_stage_is_stored_before_the_run_ends(bucket, tmp_path):
    root = f"{bucket}/run"
    with open_root(root) as at:
        assert at.remote is not None
        for stages in (["one"], ["one", "two"]):
            record(at.metadata, stages[-1])
            at.log.write_text(f"executed {stages[-1]}")
            at.remote.store_stage()
            assert read_stored_stages(root, tmp_path) == stages
            assert object_store.read(f"{root}/run.log").decode() == f"executed {stages[-1]}"
        at.remote.require_own()


def test_a_snapshot_has_no_uncommitted_rows(tmp_path):
    record(tmp_path / "metadata", "finished")
    with contextlib.closing(sqlite3.connect(tmp_path / "metadata")) as connection:
        connection.execute("insert into stages values ('begun')")
        (tmp_path / "copy").write_bytes(read_snapshot(tmp_path / "metadata"))
        assert read_stages(tmp_path / "copy") == ["finished"]
        connection.commit()
    (tmp_path / "copy").write_bytes(read_snapshot(tmp_path / "metadata"))
    assert read_stages(tmp_path / "copy") == ["finished", "begun"]


def end_after_writing(root: str, number: int) -> None:
    with open_root(root) as at:
        record(at.metadata, "a stage that has finished")
        signal.raise_signal(number)
        pytest.fail("the signal ends it")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("interruptible")
def test_a_run_that_is_interrupted_keeps_its_files(bucket, number, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        end_after_writing(f"{bucket}/run", number)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert read_stored_stages(f"{bucket}/run", tmp_path) == ["a stage that has finished"]


def run_while_another_does(root: str) -> None:
    with open_root(root) as at:
        finish_run(root, "other", '{"of": "the other"}')
        record(at.metadata, "mine")
        at.summary.write_text('{"of": "me"}')


@pytest.mark.parametrize("before", [[], ["one"]], ids=["new", "existing"])
def test_the_second_of_two_concurrent_runs_changes_nothing(bucket, before, tmp_path):
    root = f"{bucket}/run"
    for stage in before:
        finish_run(root, stage)
    with pytest.raises(ConcurrentRun, match=f"the only run at {root}.* another --root"):
        run_while_another_does(root)
    assert read_stored_stages(root, tmp_path) == [*before, "other"]
    assert read_summary(root) == '{"of": "the other"}'


def execute_after_another_stage(root: str) -> None:
    """Runs two stages; another run stores a stage during the second one."""
    with open_root(root) as at:
        assert at.remote is not None
        record(at.metadata, "mine")
        at.remote.require_own()
        at.remote.store_stage()
        finish_run(root, "other")
        record(at.metadata, "mine too")
        with pytest.raises(ConcurrentRun):
            at.remote.require_own()
        at.remote.store_stage()
        pytest.fail("it does not store it")


def test_a_run_stops_at_the_first_stage_after_the_other_has_stored_one(bucket, tmp_path):
    with pytest.raises(ConcurrentRun):
        execute_after_another_stage(f"{bucket}/run")
    assert read_stored_stages(f"{bucket}/run", tmp_path) == ["mine", "other"]


def test_each_run_writes_its_artifacts_to_a_folder_of_its_own(bucket):
    folders = set()
    for _ in range(2):
        with open_root(f"{bucket}/run") as at:
            assert at.remote is not None
            folders.add(at.remote.artifacts)
    assert len(folders) == 2
    assert all(folder.startswith(f"{bucket}/run/artifacts/") for folder in folders)


def test_a_finished_run_has_a_summary(bucket, tmp_path):
    with pytest.raises(NoRunError, match=f"a finished run at {bucket}/run"):
        read_summary(f"{bucket}/run")
    finish_run(f"{bucket}/run", "one", "{}")
    assert read_summary(f"{bucket}/run") == "{}"
    pathlib.Path(tmp_path, "summary.json").write_text('{"a": 1}')
    assert read_summary(str(tmp_path)) == '{"a": 1}'


def test_a_missing_store_gives_one_sentence(bucket):
    with (
        pytest.raises(UsageError, match="received: no bucket .*AWS_ENDPOINT_URL"),
        open_root(f"{bucket}-other/run"),
    ):
        pass
