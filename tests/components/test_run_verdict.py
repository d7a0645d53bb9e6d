"""The exit handler's verdict, from Kubeflow's status and the tasks' records."""

import json

import pytest
from tfx.types.standard_artifacts import PushedModel

from components.artifacts import push_outcome
from components.artifacts.push_outcome import PushOutcome
from components.artifacts.types import Verdict, Words
from components.kubeflow.push_gate import PushGate
from components.kubeflow.task_record import TaskRecorder
from components.run_verdict import RunVerdict
from schema.errors import DataRefused, NotBlessed
from schema.storage import object_store

RUN = "2b8c5c3e-6d0f-4f4e-9a53-0c6d6b0f7a11"
# As written by KFP's driver: field names in camel case, an error without text, and Argo's workflow
# as the resource.
STATUS = {
    "state": "COMPLETE",
    "pipelineTaskName": "tfx-dag",
    "pipelineJobResourceName": "shop-7xk2p",
    "error": {},
}
UPSTREAM = {
    "InteractionsGen": [],
    "Evaluator": ["InteractionsGen"],
    "InfraCheck": ["InteractionsGen"],
    "Pusher": ["Evaluator", "InfraCheck"],
    "PushGate": ["Pusher"],
}


def end(verdict_uri, root, status=STATUS):
    verdict, words = Verdict(), Words()
    verdict.uri, words.uri = verdict_uri, verdict_uri.replace("5a/verdict", "5a/words")
    RunVerdict.test_call(
        verdict=verdict,
        words=words,
        final_status=json.dumps(status),
        run=RUN,
        tasks=json.dumps(UPSTREAM),
        never_cached='["PushGate"]',
        root=root,
    )
    return words.uri


@pytest.fixture
def handle(tmp_path):
    """handle(status) -> the verdict of the run whose artifacts are under `run`."""

    def call(status=STATUS) -> dict:
        end(str(tmp_path / "run/RunVerdict/5a/verdict"), str(tmp_path), status)
        result = (tmp_path / "verdicts" / f"{RUN}.json").read_text()
        assert (tmp_path / "run/RunVerdict/5a/verdict/verdict.json").read_text() == result
        return json.loads(result)

    return call


@pytest.fixture
def run(tmp_path):
    """Ends tasks of the run, with or without an error."""

    def tasks(*names, error=None):
        for name in names:
            if error is None:
                with TaskRecorder(str(tmp_path / "run" / name / "9f")):
                    pass
            else:
                with pytest.raises(type(error)), TaskRecorder(str(tmp_path / "run" / name / "9f")):
                    raise error

    return tasks


@pytest.fixture
def pass_gate(tmp_path):
    """Runs the gate on a Pusher's outcome, of this run or another."""

    def call(outcome):
        pushed, passed = PushedModel(), Verdict()
        pushed.uri, passed.uri = str(tmp_path / "pushed"), str(tmp_path / "run/PushGate/9f/passed")
        push_outcome.write(outcome, pushed.uri)
        with TaskRecorder(str(tmp_path / "run/PushGate/9f")):
            PushGate.test_call(pushed=pushed, passed=passed)

    return call


def test_a_run_that_pushed(handle, run, pass_gate):
    run("InteractionsGen", "Evaluator", "InfraCheck", "Pusher")
    pass_gate(PushOutcome(failures=[], version=12))
    result = handle()
    assert result.pop("finished_at").endswith("+00:00")
    assert result == {
        "run": RUN,
        "workflow": "shop-7xk2p",
        "outcome": "succeeded",
        "failed_task": None,
        "error": "",
        "state": "COMPLETE",
        "blessed": True,
        "failures": [],
        "pushed": 12,
    }


def test_a_fully_cached_run_reports_the_cached_outcome(handle, pass_gate):
    pass_gate(PushOutcome(failures=[], version=12))
    result = handle()
    assert (result["outcome"], result["blessed"], result["pushed"]) == ("cached", True, 12)


def test_a_run_whose_models_were_refused(handle, run, pass_gate):
    run("InteractionsGen", "Evaluator", "InfraCheck", "Pusher")
    with pytest.raises(NotBlessed, match="ndcg@10: too low"):
        pass_gate(PushOutcome(failures=["ndcg@10: too low"], version=None))
    result = handle(STATUS | {"state": "FAILED"})
    assert (result["outcome"], result["failed_task"]) == ("refused", "PushGate")
    assert (result["blessed"], result["pushed"]) == (False, None)
    assert result["failures"] == ["ndcg@10: too low"]


def test_a_run_whose_data_were_refused(handle, run):
    run("InteractionsGen", error=DataRefused("7 of 9 records are rejected"))
    result = handle(STATUS | {"state": "FAILED"})
    assert (result["outcome"], result["failed_task"]) == ("refused", "InteractionsGen")
    assert result["error"] == "7 of 9 records are rejected"
    assert (result["blessed"], result["pushed"], result["failures"]) == (None, None, [])


def test_dead_letters_of_refused_data_are_copied_to_the_root(handle, run, tmp_path):
    plant(tmp_path, "rejected/interactions/old.jsonl", "rejected/items/old.jsonl", "summary.json")
    run("InteractionsGen", error=DataRefused("7 of 9 records are rejected"))
    plant(tmp_path / "run/InteractionsGen/9f", "rejected/interactions/new.jsonl")
    handle()
    assert below(tmp_path) == ["rejected/interactions/new.jsonl", "rejected/items/old.jsonl",
                               "summary.json"]  # fmt: skip


def test_statistics_of_refused_data_are_copied_to_the_root(handle, run, tmp_path):
    plant(tmp_path, "rejected/items/old.jsonl", "statistics/items.html", "report.html")
    run("ItemsGen")
    run("DataGate", error=DataRefused("1 broken rule"))
    plant(tmp_path / "run/DataGate/9f", "statistics/items.html")
    handle()
    assert below(tmp_path) == ["report.html", "statistics/items.html"]
    assert (tmp_path / "statistics/items.html").read_text().startswith(f"{tmp_path}/run/")


def test_files_of_the_report_are_kept(handle, run, pass_gate, tmp_path):
    plant(tmp_path, "rejected/items/reported.jsonl")
    run("ItemsGen")
    plant(tmp_path / "run/ItemsGen/9f", "rejected/items/new.jsonl")
    pass_gate(PushOutcome(failures=[], version=12))
    handle()
    assert below(tmp_path) == ["rejected/items/reported.jsonl"]


def plant(folder, *names):
    """Files whose content is their location."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(str(folder / name))


def below(root):
    """Names of the files at the root, except the artifacts and the verdict."""
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    at_root = (path for path in paths if path.parts[0] not in ("run", "verdicts", "pushed"))
    return sorted(str(path) for path in at_root)


def test_a_run_that_failed_after_it_was_evaluated(handle, run, tmp_path):
    run("InteractionsGen", "Evaluator")
    run("InfraCheck", error=OSError("no answer"))
    verdict = tmp_path / "run/Evaluator/9f/verdict"
    verdict.mkdir()
    (verdict / "NOT_BLESSED").write_text("ndcg@10: too low\npopularity: worse")
    result = handle(STATUS | {"state": "FAILED"})
    assert (result["outcome"], result["failed_task"]) == ("failed", "InfraCheck")
    assert result["error"] == "no answer"
    assert result["failures"] == ["ndcg@10: too low", "popularity: worse"]
    assert (result["blessed"], result["pushed"]) == (False, None)


def test_a_push_is_reported_if_the_run_fails_later(handle, run, tmp_path):
    run("InteractionsGen", "Evaluator", "InfraCheck", "Pusher")
    outcome = PushOutcome(failures=[], version=12)
    push_outcome.write(outcome, str(tmp_path / "run/Pusher/9f/pushed"))
    result = handle(STATUS | {"state": "RUNNING"})
    assert (result["outcome"], result["failed_task"]) == ("failed", "PushGate")
    assert (result["blessed"], result["pushed"]) == (True, 12)


def test_a_killed_task_is_named_if_kfp_reports_it_as_running(handle, run, tmp_path):
    other = str(tmp_path / "another run" / "Pusher" / "9f" / "pushed")
    push_outcome.write(PushOutcome(failures=[], version=12), other)
    run("InteractionsGen")
    (tmp_path / "run/Evaluator/9f").mkdir(parents=True)
    (tmp_path / "run/Evaluator/9f/task.json").write_text('{"state": "began", "began_at": 3.0}')
    result = handle(STATUS | {"state": "RUNNING"})
    assert (result["outcome"], result["failed_task"]) == ("failed", "Evaluator")
    assert (result["state"], result["blessed"], result["pushed"]) == ("RUNNING", None, None)


def test_a_vertex_job_is_named_by_the_last_part_of_its_name(handle):
    name = "projects/1/locations/europe-west1/pipelineJobs/shop-7xk2p"
    assert handle(STATUS | {"pipelineJobResourceName": name})["workflow"] == "shop-7xk2p"


def test_an_object_store_gives_the_same_verdict(bucket, tmp_path):
    push_outcome.write(PushOutcome(failures=[], version=3), str(tmp_path / "passed"))
    with TaskRecorder(f"{bucket}/run/PushGate/9f"):
        object_store.upload(tmp_path / "passed", f"{bucket}/run/PushGate/9f/passed")
    uri = end(f"{bucket}/run/RunVerdict/5a/verdict", bucket)
    result = object_store.read(f"{bucket}/run/RunVerdict/5a/verdict/verdict.json")
    assert uri == f"{bucket}/run/RunVerdict/5a/words/verdict.md"
    assert object_store.read(uri).startswith(b"# cached")
    assert json.loads(result)["pushed"] == 3
    assert json.loads(result)["outcome"] == "cached"
    assert object_store.read(f"{bucket}/verdicts/{RUN}.json") == result


def test_rejected_records_are_copied_to_a_root_in_a_bucket(bucket, tmp_path):
    plant(tmp_path, "rejected/items/old.jsonl", "run/ItemsGen/9f/rejected/items/new.jsonl")
    object_store.upload(tmp_path, bucket)
    end(f"{bucket}/run/RunVerdict/5a/verdict", bucket)
    assert object_store.list_files(f"{bucket}/rejected") == ["items/new.jsonl"]
