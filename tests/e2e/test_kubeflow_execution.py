"""The compiled document, run as Kubeflow Pipelines would run it, compared with `tandem run`.

Every task is a separate process, started by the document's own command: see tests/kubeflow. Its
root is on an S3 server, because KFP requires an object store.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import boto3
import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from schema.storage import object_store
from serving.server.app import run_server
from serving.versions.remote import RemoteVersionStore
from serving.versions.store import open_version_store
from tests.kubeflow.backend import Backend, Run
from tests.kubeflow.executions import CACHED, COMPLETE, FAILED

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

CONFIG = pathlib.Path(__file__).resolve().parents[2] / "configs" / "simulated.toml"
SMALL = [
    "--set", "retrieval.epochs=1", "--set", "retrieval.embedding_dim=16",
    "--set", "ranking.epochs=1", "--set", "blessing.baselines=[]",
]  # fmt: skip
ROOT = "s3://cluster/shop"
OUT_OF_REACH = {"thresholds": '[{"metric": "ndcg@10", "at_least": 2.0}]'}
NEVER_CACHED = {"RunReport", "PushGate", "RunVerdict"}
"""Tasks that always run."""


def tandem(*args: str) -> str:
    completed = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *args],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )
    assert completed.returncode == 0, completed.stdout[-3000:] + completed.stderr[-3000:]
    return completed.stdout


@dataclasses.dataclass(frozen=True)
class Cluster:
    """A backend, and the pipeline compiled for it."""

    document: pathlib.Path
    backend: Backend

    def run(self, broken_driver: str = "", **parameters: str) -> Run:
        """Runs the pipeline with these run-time parameters."""
        return self.backend.run(self.document, parameters, broken_driver)


def find_pushed_version() -> int | None:
    """The newest version of the recommender."""
    return RemoteVersionStore(f"{ROOT}/serving").find_latest("recommender")


def read_verdict(run: Run) -> dict[str, Any]:
    """The verdict that the exit task has written."""
    return json.loads(object_store.read(f"{ROOT}/verdicts/{run.id}.json"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    data = tmp_path_factory.mktemp("shop")
    size = ("--users", "100", "--items", "120", "--events", "2000", "--seed", "3")
    tandem("simulate", *size, "--malformed", "5", "--out", str(data))
    return data


@pytest.fixture(scope="module")
def local(shop, tmp_path_factory):
    """The summary of `tandem run`."""
    root = tmp_path_factory.mktemp("local")
    tandem("run", "--config", str(CONFIG), "--data", str(shop), "--root", str(root), *SMALL)
    return json.loads((root / "summary.json").read_text())


@pytest.fixture(scope="module")
def store(s3_server):
    """The environment that gives access to the bucket, also set in this process."""
    environment = {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="cluster")
        yield environment


@pytest.fixture(scope="module")
def cluster(shop, store, tmp_path_factory):
    work = tmp_path_factory.mktemp("cluster")
    document = work / "shop.yaml"
    tandem(
        "compile", "--config", str(CONFIG), "--image", "registry.example/tandem:1",
        "--data", str(shop), "--root", ROOT, "--out", str(document), *SMALL,
    )  # fmt: skip
    return Cluster(document, Backend(f"{ROOT}/artifacts", work / "pods", store))


@pytest.fixture(scope="module")
def first(cluster):
    run = cluster.run()
    assert run.succeeded, {name: run.executions[name].log[-3000:] for name in run.tasks_in(FAILED)}
    return run


def read_summary() -> dict[str, Any]:
    """The summary of the latest run at the root."""
    return json.loads(object_store.read(f"{ROOT}/summary.json"))


@pytest.fixture(scope="module")
def reported(first):
    """The first run's `summary.json`, and the names of all files at the root."""
    assert first.succeeded
    return read_summary(), object_store.list_files(ROOT)


@pytest.fixture(scope="module")
def again(cluster, reported):
    assert reported
    return cluster.run()


@pytest.fixture(scope="module")
def reported_again(again):
    assert again.succeeded
    return read_summary()


@pytest.fixture(scope="module")
def refused(cluster, reported_again):
    """A run with thresholds that no model can reach."""
    assert reported_again
    return cluster.run(**OUT_OF_REACH)


def read_evaluation(run):
    uri = run.executions["Evaluator"].artifacts["evaluation_result"].uri
    return json.loads(object_store.read(f"{uri}/metrics.json"))


def test_every_task_was_executed(first):
    assert first.tasks_in(COMPLETE) == set(first.executions)
    assert {"ItemsGen", "Transform-interactions", "InfraCheck", "Pusher"} <= set(first.executions)


def test_the_metrics_equal_those_of_tandem_run(first, local):
    evaluation = read_evaluation(first)
    for stage in ("retrieval", "ranking"):
        assert {name: local[stage][name] for name in evaluation[stage]} == evaluation[stage]
    assert evaluation["fairness"] == local["fairness"]
    assert evaluation["retrieval"]["ndcg@10"] > 0


def without_training(metrics):
    return {name: value for name, value in metrics.items() if name != "training"}


def test_the_root_has_the_files_of_tandem_run(first, reported, local):
    result, files = reported
    same = (
        "name",
        "seed",
        "versions",
        "rows",
        "rejected_by_reason",
        "log",
        "unreadable",
    )
    assert {name: result[name] for name in same} == {name: local[name] for name in same}
    for stage in ("retrieval", "ranking"):
        assert without_training(result[stage]) == without_training(local[stage])
        # ML Metadata writes numbers with six decimals.
        expected = pytest.approx(local[stage]["training"], abs=1e-6)
        assert result[stage]["training"] == expected
    assert result["verdict"]["rules"] == local["verdict"]["rules"]
    assert {"items", "kind", "ann_recall@100"} <= set(result["index"])
    assert {example["user_id"] for example in result["examples"]} == {
        example["user_id"] for example in local["examples"]
    }
    stages = {stage["name"]: stage for stage in result["stages"]}
    assert set(stages) == set(first.executions) - NEVER_CACHED
    assert not any(stage["cached"] for stage in stages.values())
    assert {"report.html", "statistics/items.html", "statistics/interactions.html"} <= set(files)
    (letters,) = [name for name in files if name.startswith("rejected/interactions/")]
    assert (
        len(object_store.read(f"{ROOT}/{letters}").splitlines()) == local["rows"]["rejected"] == 5
    )
    assert {"retrieval", "ranking", "quality"} <= {
        name.split("/")[1] for name in files if name.startswith("tensorboard/")
    }


def test_the_page_of_the_run_has_figures_and_report(first, reported):
    result, _ = reported
    artifacts = first.executions["RunReport"].artifacts
    assert object_store.read(artifacts["page"].uri) == object_store.read(f"{ROOT}/report.html")
    metrics = dict(artifacts["metrics"].metadata)
    quality = result["ranking"]["ndcg@10"]
    assert metrics["ndcg@10 of final lists"] == round(quality, 6)  # ML Metadata's precision
    assert metrics["verdict: pushed version"] == 1
    uri = first.executions["RunVerdict"].artifacts["words"].uri
    assert object_store.read(uri) == b"# succeeded\n\nVersion 1 is pushed.\n"


def test_the_verbs_work_on_the_root(shop, first, reported, tmp_path):
    assert first.succeeded
    assert reported
    user = json.loads((shop / "events.jsonl").read_text().partition("\n")[0])["user_id"]
    answer = json.loads(tandem("recommend", "--root", ROOT, "--user", user, "--json"))
    assert len(answer["recommendations"]) == 10
    tandem("batch", "--root", ROOT, "--users", "all", "--out", str(tmp_path / "lists.jsonl"))
    lists = (tmp_path / "lists.jsonl").read_text().splitlines()
    assert user in {json.loads(line)["user_id"] for line in lists}
    ops = json.loads(tandem("ops", "--root", ROOT, "--json"))
    assert {name: model["version"] for name, model in ops.items()} == {
        "ranking": 1, "recommender": 1, "retrieval": 1,
    }  # fmt: skip


def test_output_properties_of_a_component_are_stored(first, local):
    examples = first.executions["InteractionsGen"].artifacts["examples"].metadata
    counted = json.loads(examples["counts"])
    assert counted["tables"]["interactions"]["read"] == local["rows"]["read"] == 2005
    assert json.loads(examples["split_names"]) == ["train", "valid", "test"]
    assert first.executions["Evaluator"].artifacts["verdict"].metadata["blessed"] == 1
    servables = json.loads(first.executions["Pusher"].artifacts["pushed"].metadata["servables"])
    assert {name: model["version"] for name, model in servables.items()} == {
        "retrieval": 1,
        "ranking": 1,
        "recommender": 1,
    }


def test_the_pushed_model_answers_a_stock_client(shop, first):
    assert first.succeeded
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "recommender"
    request.inputs["user_id"].CopyFrom(tf.make_tensor_proto(["u1"]))
    request.inputs["k"].CopyFrom(tf.make_tensor_proto([5], tf.int32))
    with (
        open_version_store(f"{ROOT}/serving").follow() as folder,
        run_server(folder) as server,
        grpc.insecure_channel(server.grpc_address) as channel,
    ):
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = stub.Predict(request, timeout=60)
    items = tf.make_ndarray(answer.outputs["item_ids"])[0]
    catalogue = {json.loads(line)["item_id"] for line in (shop / "items.jsonl").open()}
    assert len({item.decode() for item in items} & catalogue) == 5


def test_an_unchanged_run_comes_from_the_cache(first, again):
    assert again.tasks_in(COMPLETE) == NEVER_CACHED
    assert again.tasks_in(CACHED) == set(first.executions) - NEVER_CACHED
    assert find_pushed_version() == 1


def test_the_summary_equals_that_of_the_cached_run(reported, reported_again):
    before, _ = reported
    for name in before:
        if name not in ("stages", "examples"):  # depend on the time of the report
            assert reported_again[name] == before[name], name
    assert all(stage["cached"] for stage in reported_again["stages"])


def test_models_that_are_not_blessed_are_not_pushed_and_the_run_fails(refused):
    assert not refused.succeeded
    assert refused.tasks_in(FAILED) == {"PushGate"}
    assert "ndcg@10" in refused.executions["PushGate"].log
    assert find_pushed_version() == 1
    summary = read_summary()
    assert not summary["verdict"]["blessed"]
    assert summary["servables"] == {}
    assert [rule["at_least"] for rule in summary["config"]["blessing"]["thresholds"]] == [2.0]
    uri = refused.executions["RunVerdict"].artifacts["words"].uri
    assert "ndcg@10" in object_store.read(uri).decode()


def test_only_tasks_that_depend_on_the_thresholds_were_executed_again(first, refused):
    executed = {"Evaluator", "Pusher"} | NEVER_CACHED
    assert refused.tasks_in(COMPLETE) == executed - {"PushGate"}
    assert refused.tasks_in(CACHED) == set(first.executions) - executed


def test_the_exit_task_writes_how_a_run_ended(first, again, refused):
    assert first.succeeded
    assert again.succeeded
    assert not refused.succeeded
    verdicts = [read_verdict(run) for run in (first, again, refused)]
    assert [result["outcome"] for result in verdicts] == ["succeeded", "cached", "refused"]
    assert [result["blessed"] for result in verdicts] == [True, True, False]
    assert [result["pushed"] for result in verdicts] == [1, 1, None]
    assert [result["state"] for result in verdicts] == ["COMPLETE", "COMPLETE", "FAILED"]
    assert "ndcg@10" in " ".join(verdicts[2]["failures"])


def test_a_failed_run_that_kfp_reports_as_running(cluster, refused):
    """The Pusher's driver fails after all earlier tasks have succeeded."""
    assert not refused.succeeded
    verdict = read_verdict(cluster.run(broken_driver="Pusher"))
    assert (verdict["outcome"], verdict["state"]) == ("failed", "RUNNING")
    assert "Pusher" in verdict["error"]


def test_the_evaluator_finds_the_pushed_version_without_a_resolver(first, refused):
    assert read_evaluation(first)["verdict"]["pushed_before"] is None
    before = read_evaluation(refused)["verdict"]["pushed_before"]
    assert before["version"] == 1
    assert "failure" not in before


def test_a_version_pushed_on_kubeflow_is_refreshed_with_new_items(shop, refused, tmp_path):
    assert not refused.succeeded
    items = [json.loads(line) for line in (shop / "items.jsonl").open()]
    (tmp_path / "new.jsonl").write_text(json.dumps(items[0] | {"item_id": "quite-new"}) + "\n")
    new = str(tmp_path / "new.jsonl")
    report = json.loads(tandem("refresh", "--root", ROOT, "--items", new, "--json"))
    assert (report["version"], report["refreshed_from"]) == (2, 1)
    assert report["items"]["added"] == 1
    assert report["servables"]["recommender"] == f"{ROOT}/serving/recommender/2"
    assert find_pushed_version() == 2


@pytest.fixture(scope="module")
def broken_shop(tmp_path_factory):
    """A tenth of its lines are malformed."""
    data = tmp_path_factory.mktemp("broken")
    size = ("--users", "100", "--items", "120", "--events", "2000", "--seed", "3")
    tandem("simulate", *size, "--malformed", "200", "--out", str(data))
    return data


def test_refused_data_leave_the_same_files_as_tandem_run(cluster, broken_shop, tmp_path):
    before = object_store.list_write_times(ROOT)["summary.json"]
    run = cluster.run(data=str(broken_shop))
    verdict = read_verdict(run)
    assert (verdict["outcome"], verdict["failed_task"]) == ("refused", "InteractionsGen")
    with pytest.raises(AssertionError, match="to be rejected, received 200"):
        tandem("run", "--config", str(CONFIG), "--data", str(broken_shop),
               "--root", str(tmp_path), *SMALL)  # fmt: skip
    rejected = tmp_path / "rejected" / "interactions"
    letters = {path.name: path.read_bytes() for path in rejected.iterdir()}
    assert sum(len(content.splitlines()) for content in letters.values()) == 200
    paths = object_store.list_files(f"{ROOT}/rejected")
    assert paths == sorted(f"interactions/{name}" for name in letters)
    for name, content in letters.items():
        assert object_store.read(f"{ROOT}/rejected/interactions/{name}") == content
    assert object_store.list_write_times(ROOT)["summary.json"] == before
