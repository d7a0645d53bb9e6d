"""Starting, failing to start and stopping: in this process, and as `tandem serve`."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import numpy as np
import pytest

from schema.errors import NoRunError, TandemError, UsageError
from serving.client.client import Client
from serving.server.app import run_server
from serving.server.options import ServerOptions

ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture
def used_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def serve(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "serve", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_directory_without_pushed_models_is_refused(tmp_path):
    with (
        pytest.raises(NoRunError, match="expected pushed models in"),
        run_server(tmp_path / "serving"),
    ):
        pass


@pytest.mark.parametrize(("option", "what"), [("grpc_port", "gRPC"), ("rest_port", "REST")])
def test_a_port_in_use_is_named(serving_dir, used_port, option, what):
    pattern = f"listen for {what} on 127.0.0.1:{used_port}.*--{option.replace('_', '-')}"
    with (
        pytest.raises(UsageError, match=pattern),
        run_server(serving_dir, ServerOptions(**{option: used_port})),
    ):
        pass


def test_a_second_server_on_the_port_fails(serving_dir):
    with run_server(serving_dir) as first:
        port = int(first.grpc_address.rpartition(":")[2])
        with (
            pytest.raises(UsageError, match=f"port {port} is in use"),
            run_server(serving_dir, ServerOptions(grpc_port=port)),
        ):
            pass


def test_models_that_all_fail_are_an_error(tmp_path):
    broken = tmp_path / "m" / "1"
    broken.mkdir(parents=True)
    (broken / "saved_model.pb").write_bytes(b"no model")
    with (
        pytest.raises(TandemError, match="at least one pushed model that loads"),
        run_server(tmp_path),
    ):
        pass


def test_the_ports_are_free_again_at_the_end(serving_dir):
    with run_server(serving_dir) as first:
        grpc_port = int(first.grpc_address.rpartition(":")[2])
        rest_port = int(first.rest_url.rpartition(":")[2])
    with run_server(serving_dir, ServerOptions(grpc_port=grpc_port, rest_port=rest_port)) as second:
        assert second == first


def test_the_client_reports_a_silent_server(used_port):
    with (
        Client(f"127.0.0.1:{used_port}", timeout_s=0.3) as client,
        pytest.raises(TandemError, match=r"within 0\.3 s, received nothing"),
    ):
        client.status("greeter")


def test_the_client_reports_a_missing_server():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with (
        Client(f"127.0.0.1:{port}") as client,
        pytest.raises(TandemError, match=r"expected a server at .* start one with"),
    ):
        client.status("greeter")


def test_the_client_reads_the_declared_inputs(serving_dir):
    with run_server(serving_dir) as server, Client(server.grpc_address) as client:
        assert client.inputs("greeter") == {
            "k": ("int64", (-1,)),
            "user_id": ("string", (-1,)),
            "x": ("float32", (-1, 2)),
        }
        with pytest.raises(TandemError, match=r"NOT_FOUND: Servable not found .* Latest\(nobody\)"):
            client.inputs("nobody")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_tandem_serve_answers_and_ends_cleanly(serving_dir, number):
    process = serve("--root", serving_dir.parent, "--grpc-port", 0, "--rest-port", 0)
    assert process.stdout is not None
    line = process.stdout.readline()
    ready = re.fullmatch(r"serving greeter 1: gRPC (\S+), REST (\S+)\n", line)
    assert ready, line
    inputs = {"user_id": np.array(["ann"]), "x": np.ones([1, 2], "f4"), "k": np.array([3])}
    with Client(ready[1]) as client:
        assert client.predict("greeter", inputs)["total"].tolist() == [6.0]
    with urllib.request.urlopen(f"{ready[2]}/v1/models/greeter", timeout=10) as answer:
        assert json.loads(answer.read())["model_version_status"][0]["state"] == "AVAILABLE"
    process.send_signal(number)
    rest_of_output, log = process.communicate(timeout=30)
    assert (process.returncode, rest_of_output) == (0, "")
    assert "Traceback" not in log


def test_tandem_serve_accepts_tensorflow_servings_files(serving_dir, tmp_path):
    models, monitoring = tmp_path / "models.config", tmp_path / "monitoring.config"
    models.write_text(
        f'''model_config_list {{ config {{
            name: "hello" base_path: "{serving_dir / "greeter"}" model_platform: "tensorflow"
            version_labels {{ key: "stable" value: 1 }} }} }}'''
    )
    monitoring.write_text('prometheus_config { enable: true path: "/metrics" }')
    files = ["--model-config", models, "--monitoring-config", monitoring]
    process = serve(*files, "--grpc-port", 0, "--rest-port", 0)
    assert process.stdout is not None
    ready = re.fullmatch(r"serving hello 1: gRPC (\S+), REST (\S+)\n", process.stdout.readline())
    assert ready
    with urllib.request.urlopen(f"{ready[2]}/v1/models/hello/labels/stable/metadata") as answer:
        assert json.loads(answer.read())["model_spec"]["version"] == "1"
    with urllib.request.urlopen(f"{ready[2]}/metrics") as answer:
        assert b':tensorflow:serving:request_count{model_name="hello",status="OK"}' in answer.read()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--root", os.devnull], "expected pushed models in"),
        (["--root", ".", "--grpc-port", "70000"], "--grpc-port: "),
        (["--model-config", os.devnull], "expected a text proto of tensorflow.serving.Model"),
        (
            ["--root", ".", "--monitoring-config", "nowhere"],
            "expected a text proto of tensorflow.serving.MonitoringConfig in nowhere",
        ),
    ],
)
def test_tandem_serve_refuses_in_one_sentence(arguments, message):
    process = serve(*arguments)
    output, log = process.communicate(timeout=60)
    assert (process.returncode, output) == (2, "")
    assert f"tandem: {message}" in log
    assert "Traceback" not in log
