"""The files of a run at a URL, also with two concurrent runs."""

import pathlib
import signal

import pytest

from pipeline.run_root import RunRoot, open_root, read_summary
from schema.errors import NoRunError, UsageError
from schema.storage import object_store


def test_a_path_is_a_folder_of_this_machine(tmp_path):
    with open_root(str(tmp_path / "run")) as at:
        assert at == RunRoot(tmp_path / "run")
        assert at.location == str(tmp_path / "run")
    assert at.log.exists()


def ran(root: str, metadata: str, summary: str = "") -> None:
    with open_root(root) as at:
        at.metadata.write_text(metadata)
        at.log.write_text("what happened")
        if summary:
            at.summary.write_text(summary)


def test_another_machine_resumes_from_the_stored_run(bucket):
    ran(f"{bucket}/run", "one")
    with open_root(f"{bucket}/run") as at:
        assert at.location == f"{bucket}/run"
        assert at.metadata.read_text() == "one"
        at.metadata.write_text("one two")
    assert not at.root.exists()
    assert object_store.read(f"{bucket}/run/metadata.sqlite") == b"one two"
    assert object_store.read(f"{bucket}/run/run.log") == b"what happened"


def end_after_writing(root: str, number: int) -> None:
    with open_root(root) as at:
        at.metadata.write_text("a stage that has finished")
        signal.raise_signal(number)
        pytest.fail("the signal ends it")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("interruptible")
def test_a_run_that_is_interrupted_keeps_its_files(bucket, number):
    with pytest.raises(KeyboardInterrupt):
        end_after_writing(f"{bucket}/run", number)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    stored = object_store.read(f"{bucket}/run/metadata.sqlite")
    assert stored == b"a stage that has finished"


def run_while_another_does(root: str) -> None:
    with open_root(root) as at:
        ran(root, "other", '{"of": "the other"}')
        at.metadata.write_text("mine")
        at.summary.write_text('{"of": "me"}')


def test_the_second_of_two_concurrent_runs_changes_nothing(bucket):
    root = f"{bucket}/run"
    ran(root, "one")
    with pytest.raises(UsageError, match=f"the only run at {root}.* run it again"):
        run_while_another_does(root)
    assert object_store.read(f"{root}/metadata.sqlite") == b"other"
    assert read_summary(root) == '{"of": "the other"}'


def test_a_finished_run_has_a_summary(bucket, tmp_path):
    with pytest.raises(NoRunError, match=f"a finished run at {bucket}/run"):
        read_summary(f"{bucket}/run")
    ran(f"{bucket}/run", "one", "{}")
    assert read_summary(f"{bucket}/run") == "{}"
    pathlib.Path(tmp_path, "summary.json").write_text('{"a": 1}')
    assert read_summary(str(tmp_path)) == '{"a": 1}'


def test_a_missing_store_gives_one_sentence(bucket):
    with (
        pytest.raises(UsageError, match="received: no bucket .*AWS_ENDPOINT_URL"),
        open_root(f"{bucket}-other/run"),
    ):
        pass
