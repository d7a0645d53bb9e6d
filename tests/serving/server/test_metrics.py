"""Metrics as Prometheus reads them, after known requests."""

import asyncio
import contextlib
import json
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from schema.errors import TandemError, UsageError
from serving.client.client import Client
from serving.protocol.errors import invalid_argument
from serving.server.app import run_server
from serving.server.metrics import Metrics, read_metrics_path
from serving.server.options import ServerOptions
from serving.versions.local import LocalVersionStore

INPUTS = {
    "user_id": np.array(["ann"]),
    "x": np.array([[1, 0]], np.float32),
    "k": np.array([1], np.int64),
}


def samples(text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def count(read, name, **labels):
    return read.get((f":tensorflow:{name}", *sorted(labels.items())), 0)


def scrape(server, path="/monitoring/prometheus/metrics"):
    with urllib.request.urlopen(server.rest_url + path, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        return samples(answer.read().decode())


def post(server, path, body):
    request = urllib.request.Request(server.rest_url + path, json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_requests_are_counted_by_status_and_timed(serving_dir):
    row = {"user_id": "ann", "x": [1, 0], "k": 1}
    with run_server(serving_dir) as server, Client(server.grpc_address) as client:
        for _ in range(3):
            client.predict("greeter", INPUTS)
        with pytest.raises(TandemError):
            client.predict("greeter", {"user_id": np.array(["ann"])})
        with pytest.raises(TandemError):
            client.predict("nobody", INPUTS)
        assert post(server, "/v1/models/greeter:predict", {"instances": [row]}) == 200
        assert post(server, "/v1/models/greeter:predict", {"instances": []}) == 400
        read = scrape(server)
    requests = "serving:request_count"
    assert count(read, requests, model_name="greeter", status="OK") == 4
    assert count(read, requests, model_name="greeter", status="INVALID_ARGUMENT") == 2
    assert count(read, requests, model_name="", status="NOT_FOUND") == 1
    timed = "serving:request_latency_count"
    assert count(read, timed, model_name="greeter", API="Predict", entrypoint="GRPC") == 3
    assert count(read, timed, model_name="greeter", API="predict", entrypoint="REST") == 1
    ran = "serving:runtime_latency_count"
    assert count(read, ran, model_name="greeter", API="Predict", runtime="TF2") == 4


def test_a_refused_version_is_counted(serving_dir, greeters):
    LocalVersionStore(serving_dir).push({"greeter": greeters[2]})
    newest, older = (str(serving_dir / "greeter" / version) for version in ("2", "1"))
    (serving_dir / "greeter" / "2" / "saved_model.pb").write_bytes(b"\xff")
    with run_server(serving_dir) as server:
        read = scrape(server)
    loads = "cc:saved_model:load_attempt_count"
    assert count(read, loads, model_path=newest, status="fail") == 1
    assert count(read, loads, model_path=older, status="success") == 1
    assert count(read, "cc:saved_model:load_latency", model_path=older) > 0


def test_warmups_are_counted_by_status(tmp_path):
    metrics = Metrics()
    with metrics.warmup(tmp_path) as records:
        records.extend([None, None])
    with contextlib.suppress(TandemError), metrics.warmup(tmp_path) as records:
        records.append(None)
        raise invalid_argument("record 1")
    read = samples(metrics.page().decode())
    counted = "serving:model_warmup_records_read"
    assert count(read, counted, model_path=str(tmp_path), status="OK") == 2
    assert count(read, counted, model_path=str(tmp_path), status="INVALID_ARGUMENT") == 1


def test_a_crash_is_counted_as_unknown():
    metrics = Metrics()
    with pytest.raises(ZeroDivisionError), metrics.request("m", "Predict", "GRPC"):
        raise ZeroDivisionError
    read = samples(metrics.page().decode())
    code = grpc.StatusCode.UNKNOWN.name
    assert count(read, "serving:request_count", model_name="m", status=code) == 1


def test_latencies_are_microseconds_in_tensorflow_servings_buckets():
    metrics = Metrics()
    with metrics.request("m", "Predict", "GRPC"):
        pass
    text = metrics.page().decode()
    bounds = [
        float(sample.labels["le"])
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == ":tensorflow:serving:request_latency_bucket"
    ]
    assert len(bounds) == 34
    assert bounds[:3] == pytest.approx([10, 18, 32.4])
    assert bounds[-1] == float("inf")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("prometheus_config { enable: true }", "/monitoring/prometheus/metrics"),
        ('prometheus_config { enable: true path: "/metrics" }', "/metrics"),
        ('prometheus_config { path: "/metrics" }', None),
        ("", None),
    ],
)
def test_monitoring_config(tmp_path, text, path):
    file = tmp_path / "monitoring.config"
    file.write_text(text)
    assert read_metrics_path(file) == path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prometheus { enable: true }", "prometheus"),
        ('prometheus_config { enable: true path: "metrics" }', "begins with /"),
    ],
)
def test_a_monitoring_config_that_is_refused(tmp_path, text, message):
    file = tmp_path / "monitoring.config"
    file.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_metrics_path(file)


@pytest.mark.parametrize("path", ["/metrics", None])
def test_metrics_are_where_they_are_configured(serving_dir, path):
    with run_server(serving_dir, ServerOptions(metrics_path=path)) as server:
        if path is not None:
            assert scrape(server, path)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            scrape(server)


def test_a_call_of_a_disconnected_client_is_counted_as_cancelled():
    metrics = Metrics()
    with pytest.raises(asyncio.CancelledError), metrics.request("m", "Predict", "GRPC"):
        raise asyncio.CancelledError
    read = samples(metrics.page().decode())
    code = grpc.StatusCode.CANCELLED.name
    assert count(read, "serving:request_count", model_name="m", status=code) == 1
