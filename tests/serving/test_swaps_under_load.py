"""Fifty swaps while threads send requests over gRPC and REST, with a client that does not retry."""

import json
import pathlib
import threading
import urllib.request
from concurrent import futures

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.graph.warmup_requests import write_warmup_requests
from serving.server.app import run_server
from serving.versions.local import LocalVersionStore

pytestmark = pytest.mark.e2e

SWAPS = 50
ROWS = {"instances": [{"user_id": "ann", "x": [1, 0], "k": 1}]}


def predict_request():
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "greeter"
    arrays = {"user_id": [b"ann"], "x": np.array([[1, 0]], "f4"), "k": np.array([1])}
    for alias, array in arrays.items():
        request.inputs[alias].CopyFrom(tf.make_tensor_proto(array))
    return request


def build_grpc_sender(server):
    """Returns a function that sends a request: (version, total, greeting) of the answer."""
    channel = grpc.insecure_channel(server.grpc_address)
    predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
    request = predict_request()

    def send():
        answer = predict(request, timeout=30)
        return (
            answer.model_spec.version.value,
            answer.outputs["total"].float_val[0],
            answer.outputs["greeting"].string_val[0].decode(),
        )

    return send


def build_rest_sender(server):
    """The same over REST, with the version from the greeting: REST does not report it."""
    url = f"{server.rest_url}/v1/models/greeter:predict"

    def send():
        with urllib.request.urlopen(url, json.dumps(ROWS).encode(), timeout=30) as answer:
            (row,) = json.loads(answer.read())["predictions"]
        return int(row["greeting"][1]), row["total"], row["greeting"]

    return send


@pytest.fixture
def serving_dir(tmp_path, greeters):
    folder = tmp_path / "serving"
    for model in greeters.values():
        pushed = LocalVersionStore(folder).push({"greeter": model})
        write_warmup_requests(pathlib.Path(pushed["greeter"]), [predict_request()])
    return folder


def reload_request(serving_dir, version):
    return text_format.Parse(
        f"""config {{ model_config_list {{ config {{
            name: "greeter" base_path: "{serving_dir / "greeter"}" model_platform: "tensorflow"
            model_version_policy {{ specific {{ versions: {version} }} }} }} }} }}""",
        model_management_pb2.ReloadConfigRequest(),
    )


@pytest.mark.timeout(300)
def test_fifty_swaps_without_a_failed_or_mixed_answer(serving_dir):
    stopped = threading.Event()
    answers = [[] for _ in range(4)]

    def keep_sending(send, received):
        while not stopped.is_set():
            received.append(send())

    with (
        run_server(serving_dir) as server,
        grpc.insecure_channel(server.grpc_address) as channel,
        futures.ThreadPoolExecutor(len(answers)) as pool,
    ):
        models = model_service_pb2_grpc.ModelServiceStub(channel)
        send = build_grpc_sender(server)
        kinds = [build_grpc_sender, build_grpc_sender, build_rest_sender, build_rest_sender]
        tasks = [
            pool.submit(keep_sending, kind(server), received)
            for kind, received in zip(kinds, answers, strict=True)
        ]
        try:
            for swap in range(SWAPS):
                version = 1 + swap % 2
                models.HandleReloadConfigRequest(reload_request(serving_dir, version), timeout=60)
                assert send() == (version, float(version), f"v{version}:ann")
        finally:
            stopped.set()
        for task in tasks:
            assert task.exception() is None
        status = models.GetModelStatus(
            get_model_status_pb2.GetModelStatusRequest(model_spec=predict_request().model_spec)
        )
    expected = {(1, 1.0, "v1:ann"), (2, 2.0, "v2:ann")}
    for received in answers:
        assert len(received) > SWAPS
        assert set(received) == expected
    state = get_model_status_pb2.ModelVersionStatus.State
    assert {entry.version: entry.state for entry in status.model_version_status} == {
        1: state.END,
        2: state.AVAILABLE,
    }
