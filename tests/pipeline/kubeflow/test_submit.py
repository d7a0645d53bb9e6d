"""`tandem submit` with a server that records its requests."""

import hashlib
import json
import socket

import pytest

from pipeline import cli
from tests.pipeline.kubeflow.stub_server import serving

SHOP = """
pipelineInfo: {name: shop}
defaultPipelineRoot: s3://bucket/shop/artifacts
root:
  dag: {tasks: {}}
  inputDefinitions:
    parameters:
      data: {parameterType: STRING, defaultValue: /data, isOptional: true}
      span: {parameterType: STRING, defaultValue: '', isOptional: true}
      thresholds: {parameterType: STRING, defaultValue: '[]', isOptional: true}
      retrieval_epochs: {parameterType: NUMBER_INTEGER, defaultValue: 8, isOptional: true}
---
platforms: {kubernetes: {deploymentSpec: {executors: {}}}}
"""
THRESHOLDS = '[{"metric": "ndcg@10", "at_least": 0.1}]'


@pytest.fixture
def server():
    with serving() as stub:
        yield stub


@pytest.fixture
def package(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP)
    return path


@pytest.fixture
def submitted(server, package, capsys):
    """submitted(*arguments) -> the printed JSON."""

    def call(*arguments: object) -> dict:
        what = ["--endpoint", server.url, "--package", str(package), "--json"]
        assert cli.main(["submit", *what, *map(str, arguments)]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        return json.loads(printed.out)

    return call


@pytest.fixture
def refused(server, package, capsys):
    """refused(*arguments) -> the one error message, after checking that nothing was uploaded or
    started.
    """

    def call(*arguments: object) -> str:
        what = ["--endpoint", server.url, "--package", str(package)]
        assert cli.main(["submit", *what, *map(str, arguments)]) == 2
        output = capsys.readouterr()
        assert (output.out, output.err.count("\n")) == ("", 1), output.err
        assert [path for method, path, _ in server.calls if method == "POST"] == []
        return output.err.removeprefix("tandem: ").rstrip("\n")

    return call


def test_the_document_is_uploaded_and_run_with_its_parameters(server, submitted):
    submission = submitted(
        "--param", "span=2024-01-31", "--param", "retrieval_epochs=3",
        "--param", f"thresholds={THRESHOLDS}", "--experiment", "nightly", "--run-name", "one",
    )  # fmt: skip
    assert submission == {
        "pipeline": "id-of-shop",
        "version": "version-first",
        "experiment": "id-of-nightly",
        "run": "id-of-one",
        "url": f"{server.url}/#/runs/details/id-of-one",
    }
    (uploaded,) = server.called("POST", "/pipelines/upload")
    assert SHOP in uploaded
    (run,) = server.called("POST", "/runs")
    assert run["pipeline_version_reference"] == {
        "pipeline_id": "id-of-shop",
        "pipeline_version_id": "version-first",
    }
    assert run["experiment_id"] == "id-of-nightly"
    assert run["runtime_config"]["parameters"] == {
        "span": "2024-01-31",
        "retrieval_epochs": 3,
        "thresholds": THRESHOLDS,
    }
    assert run["runtime_config"]["pipeline_root"] == "s3://bucket/shop/artifacts"


def test_another_document_of_that_name_is_another_version(server, submitted, package):
    submitted()
    package.write_text(SHOP.replace("defaultValue: 8", "defaultValue: 9"))
    digest = hashlib.sha256(package.read_bytes()).hexdigest()[:16]
    assert submitted()["version"] == f"version-{digest}"
    assert submitted()["version"] == f"version-{digest}"
    assert len(server.called("POST", "/pipelines/upload")) == 1
    assert len(server.called("POST", "/pipelines/upload_version")) == 1
    assert len(server.called("POST", "/runs")) == 3


def test_a_recurring_run_moves_its_span_with_the_clock(server, submitted):
    span = "[[ScheduledTime.2006-01-02]]"
    submission = submitted(
        "--recurring", "0 30 4 * * *", "--run-name", "daily", "--param", f"span={span}"
    )
    assert submission["recurring_run"] == "id-of-daily"
    assert submission["url"].endswith("/#/recurringrun/details/id-of-daily")
    (job,) = server.called("POST", "/recurringruns")
    assert job["trigger"] == {"cron_schedule": {"cron": "0 30 4 * * *"}}
    assert (job["mode"], job["no_catchup"], job["max_concurrency"]) == ("ENABLE", True, 1)
    assert job["runtime_config"] == {
        "parameters": {"span": span},
        "pipeline_root": "s3://bucket/shop/artifacts",
    }
    assert server.called("POST", "/runs") == []


def test_every_call_sends_the_token(server, submitted, tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    submitted("--token-file", tmp_path / "token")
    assert set(server.tokens) == {"Bearer s3cret"}


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("retrieval_epochs=many", "expected a whole number above 0, received 'many'"),
        ("retrieval_epochs=0", "expected a whole number above 0, received '0'"),
        ("span=yesterday", "--param span: expected a span such as 2024-01-31 or 7"),
        ("thresholds=high", "expected JSON of blessing.thresholds such as"),
        ('thresholds=[{"metric": "ndcg@10"}]', "expects at_least or at_most, received neither"),
        ("data=", "--param data: expected a value without spaces, received ''"),
        ("data=s3://b//x", "--param data: expected no // within a URL, received 's3://b//x'"),
        ("epochs=3", "one of data, retrieval_epochs, span, thresholds, received 'epochs'"),
        ("span", "--param expects name=value, received 'span'"),
    ],
)
def test_a_parameter_that_does_not_fit(refused, parameter, message):
    assert message in refused("--param", parameter)


def test_an_endpoint_that_is_down(refused):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sentence = refused("--endpoint", f"http://127.0.0.1:{port}")
    assert f"expected Kubeflow Pipelines at http://127.0.0.1:{port}, received:" in sentence
    assert "refused" in sentence


def test_an_endpoint_that_is_none(refused):
    sentence = refused("--endpoint", "localhost:8080")
    assert sentence == (
        "--endpoint expects a URL such as http://localhost:8080, received 'localhost:8080'; "
        "add the scheme"
    )


def test_an_endpoint_that_is_another_server(refused, server):
    server.refused["/healthz"] = (404, "no such page")
    assert f"received HTTP 404 of {server.url}/apis/v2beta1/healthz" in refused()


def test_a_refusal_of_the_server_is_reported(server, package, capsys):
    server.refused["/runs"] = (400, "the namespace shop does not exist")
    assert cli.main(["submit", "--endpoint", server.url, "--package", str(package)]) == 2
    output = capsys.readouterr().err
    assert "received HTTP 400 Bad Request: the namespace shop does not exist" in output
    assert output.count("\n") == 1


@pytest.mark.parametrize(
    "text", ["", "name: shop\n", "- shop\n", "pipelineInfo: {name: [\n", "a: b: c\n"]
)
def test_a_package_that_is_none(refused, package, text):
    package.write_text(text)
    assert f"expected a document of tandem compile at {package}, received: " in refused()


def test_a_package_that_is_not_there(refused, package):
    package.unlink()
    assert "No such file or directory" in refused()


def test_a_token_that_is_not_there(refused, tmp_path):
    assert "--token-file" in refused("--token-file", tmp_path / "token")


def test_a_clock_with_five_fields(refused):
    assert "six fields, seconds first" in refused("--recurring", "30 4 * * *")


@pytest.mark.parametrize("experiment", ["", "x" * 129])
def test_an_experiment_name_that_kfp_refuses(refused, experiment):
    output = refused("--experiment", experiment)
    assert output.startswith("expected --experiment with 1 to 128 characters, as KFP requires")
    assert f"received {len(experiment)}; choose another name" in output


def test_neither_a_package_nor_a_configuration(server, capsys):
    assert cli.main(["submit", "--endpoint", server.url]) == 2
    assert "expected either --package or --config" in capsys.readouterr().err
    assert server.calls == []


def test_a_configuration_is_compiled_for_the_while(server, capsys):
    assert cli.main(
        ["submit", "--endpoint", server.url, "--config", "configs/simulated.toml",
         "--image", "registry.example/tandem:7", "--run-name", "one"]
    ) == 0  # fmt: skip
    assert capsys.readouterr().out == f"run id-of-one: {server.url}/#/runs/details/id-of-one\n"
    (uploaded,) = server.called("POST", "/pipelines/upload")
    assert "RetrievalTrainer_executor" in uploaded
