"""The files of deploy/, read by the embedded server, which implements TensorFlow Serving's API."""

import re
import urllib.request

import numpy as np
import pytest
import tensorflow as tf
import yaml
from prometheus_client.parser import text_string_to_metric_families

from schema import signatures
from serving.client.client import Client
from serving.server.app import run_configured_server
from serving.server.metrics import read_metrics_path
from serving.server.model_config import read_model_config
from serving.versions.local import LocalVersionStore
from tests.deploy.conftest import DEPLOY
from tests.serving.conftest import Greeter

PREFIXES = ("python_", "process_")
ANN = {"user_id": np.array(["ann"]), "x": np.ones([1, 2], "f4"), "k": np.array([1])}


@pytest.fixture(scope="module")
def serving_dir(tmp_path_factory):
    """Versions 1 and 2 of each model that a run pushes; version v returns 2 v."""
    folder = tmp_path_factory.mktemp("deployed")
    for version in (1, 2):
        model = Greeter(version)
        saved = folder / f"saved-{version}"
        tf.saved_model.save(model, str(saved), signatures=model.serve)
        models = {name: saved for name in signatures.SERVABLES}  # noqa: C420 - its type is clearer
        LocalVersionStore(folder / "serving").push(models)
    return folder / "serving"


@pytest.fixture
def serve(serving_dir, tmp_path):
    """serve(text of models.config) -> server of its models, with `serving_dir` as /models."""

    def start(text):
        path = tmp_path / "models.config"
        path.write_text(text.replace('"/models/', f'"{serving_dir}/'))
        return run_configured_server(read_model_config(path))

    return start


def predict_total(client, **choice):
    return client.predict("recommender", ANN, **choice)["total"].tolist()


def test_the_newest_of_each_model_is_served(serve):
    with serve((DEPLOY / "models.config").read_text()) as server:
        assert server.models == dict.fromkeys(signatures.SERVABLES, 2)
        with Client(server.grpc_address) as client:
            assert predict_total(client) == [4.0]


def test_the_canary_is_selected_by_its_label(serve, canary):
    with serve(canary["data"]["models.config"]) as server, Client(server.grpc_address) as client:
        assert predict_total(client, label="stable") == [2.0]
        assert predict_total(client, label="canary") == [4.0]
        assert predict_total(client) == [4.0]
        assert {status.version for status in client.status("recommender")} == {1, 2}


def test_every_monitoring_file_names_the_path_that_prometheus_scrapes(manifests, tmp_path):
    (job,) = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]
    in_cluster = tmp_path / "monitoring.config"
    in_cluster.write_text(manifests["ConfigMap"]["data"]["monitoring.config"])
    for path in (DEPLOY / "monitoring.config", in_cluster):
        assert read_metrics_path(path) == job["metrics_path"]


def test_the_dashboard_uses_exported_metrics(serve):
    """Checks names of series, and the labels in filters and groupings."""
    with serve((DEPLOY / "models.config").read_text()) as server:
        with Client(server.grpc_address) as client:
            predict_total(client)
        url = f"{server.rest_url}/monitoring/prometheus/metrics"
        with urllib.request.urlopen(url) as response:
            page = response.read().decode()
    series = {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if not sample.name.startswith(PREFIXES)
    }
    text = (DEPLOY / "grafana" / "tandem.json").read_text()
    metrics = set(re.findall(r":tensorflow:[a-z0-9_:]+", text))
    # No warmup file is pushed here.
    warmups = {name for name in metrics if "model_warmup_latency" in name}
    assert metrics - warmups <= set(series)
    used = set(re.findall(r"[({ ,]([a-zA-Z_]+)(?:=~|!=|=)", text))
    for group in re.findall(r"by \(([^)]*)\)", text):
        used |= set(group.replace(" ", "").split(","))
    assert {"model_name", "status"} <= used
    assert used <= set().union(*series.values())
