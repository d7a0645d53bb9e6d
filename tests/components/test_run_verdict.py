"""What the exit handler says of a run, from what Kubeflow and the Pusher left."""

import json

import pytest

from components import push_outcome
from components.artifact_types import Verdict
from components.push_outcome import PushOutcome
from components.run_verdict import RunVerdict
from schema import object_store

# As KFP's driver writes it: field names in camel case, the error without words.
STATUS = {
    "state": "COMPLETE",
    "pipelineTaskName": "tfx-dag",
    "pipelineJobResourceName": "shop-7xk2p",
    "error": {},
}


@pytest.fixture
def handle(tmp_path):
    """handle(status) -> the verdict, of the run whose tasks keep their artifacts below `run`."""

    def call(status: dict) -> dict:
        verdict = Verdict()
        verdict.uri = str(tmp_path / "run" / "RunVerdict" / "5a" / "verdict")
        RunVerdict.test_call(
            verdict=verdict,
            final_status=json.dumps(status),
            folder=str(tmp_path / "verdicts"),
        )
        found = (tmp_path / "verdicts" / "shop-7xk2p.json").read_text()
        assert (tmp_path / "run/RunVerdict/5a/verdict/verdict.json").read_text() == found
        return json.loads(found)

    return call


def test_a_run_that_pushed(handle, tmp_path):
    uri = str(tmp_path / "run" / "Pusher" / "9f" / "pushed")
    push_outcome.write(PushOutcome(failures=[], version=12), uri)
    found = handle(STATUS)
    assert found.pop("finished_at").endswith("+00:00")
    assert found == {
        "run": "shop-7xk2p",
        "state": "COMPLETE",
        "error": "",
        "blessed": True,
        "failures": [],
        "pushed": 12,
    }


def test_a_run_whose_models_were_refused(handle, tmp_path):
    uri = str(tmp_path / "run" / "Pusher" / "9f" / "pushed")
    push_outcome.write(PushOutcome(failures=["ndcg@10: too low"], version=None), uri)
    found = handle(STATUS | {"state": "FAILED"})
    assert (found["blessed"], found["pushed"]) == (False, None)
    assert found["failures"] == ["ndcg@10: too low"]


def test_a_run_that_failed_before_anything_was_decided(handle, tmp_path):
    other = str(tmp_path / "another run" / "Pusher" / "9f" / "pushed")
    push_outcome.write(PushOutcome(failures=[], version=12), other)
    (tmp_path / "run" / "InteractionsGen").mkdir(parents=True)
    found = handle(STATUS | {"state": "FAILED", "error": {"message": "no such bucket"}})
    assert (found["state"], found["error"]) == ("FAILED", "no such bucket")
    assert (found["blessed"], found["pushed"], found["failures"]) == (None, None, [])


def test_a_job_of_vertex_is_called_by_the_end_of_its_name(handle):
    name = "projects/1/locations/europe-west1/pipelineJobs/shop-7xk2p"
    assert handle(STATUS | {"pipelineJobResourceName": name})["run"] == "shop-7xk2p"


def test_on_an_object_store_it_is_the_same(bucket, tmp_path):
    outcome = PushOutcome(failures=[], version=3)
    push_outcome.write(outcome, str(tmp_path / "pushed"))
    object_store.upload(tmp_path / "pushed", f"{bucket}/run/Pusher/9f/pushed")
    verdict = Verdict()
    verdict.uri = f"{bucket}/run/RunVerdict/5a/verdict"
    folder = f"{bucket}/verdicts"
    RunVerdict.test_call(verdict=verdict, final_status=json.dumps(STATUS), folder=folder)
    found = object_store.read(f"{bucket}/run/RunVerdict/5a/verdict/verdict.json")
    assert json.loads(found)["pushed"] == 3
    assert object_store.read(f"{bucket}/verdicts/shop-7xk2p.json") == found
