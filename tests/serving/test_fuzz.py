"""Thousands of invalid requests: each gets the status of its kind, and nothing else changes.

A seeded generator draws them; a valid request gets the same answer before and after.
"""

import gc
import http.client
import json
import logging
import os
import socket
import threading
import urllib.parse

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from serving.server.app import run_server
from serving.server.options import ServerOptions
from tests.serving.planted_servables import push_servables

PREDICT = "/tensorflow.serving.PredictionService/Predict"
REFUSALS = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.INTERNAL,  # gRPC's own status for bytes that are not a message
}
LARGEST = 4 * 2**20
NAMES = (
    "user_id", "history_item_ids", "history_timestamps", "now", "context_device",
    "excluded_item_ids", "k", "candidate_item_ids", "nobody",
)  # fmt: skip
VALUES = [
    np.array([b"ann"], object), np.array([b"\xff\xfe\x00"], object), np.array([[b"a", b"b"]]),
    np.array([], object).reshape(0, 3), np.array([[[b"a"]]], object), np.zeros([0], np.int64),
    np.array([-1], np.int32), np.array([2**31 - 1], np.int32), np.array([2**62]),
    np.array([[1, 2]]),
    np.array([np.nan], np.float32), np.array([[np.inf]]), np.array([True]), np.array(3, np.int32),
    np.zeros([3, 7, 2], np.float32), np.array([1 + 2j]), np.array([b"x" * 5000], object),
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    options = ServerOptions(max_message_bytes=LARGEST)
    with run_server(push_servables(tmp_path_factory.mktemp("fuzzed")), options) as running:
        yield running


@pytest.fixture(scope="module")
def call(server):
    """call(bytes) -> bytes, or raises grpc.RpcError: the client does not check the message."""
    with grpc.insecure_channel(server.grpc_address) as channel:
        raw = channel.unary_unary(PREDICT)
        yield lambda message: raw(message, timeout=30)


@pytest.fixture
def valid_answer(call):
    """The answer to a valid request, which must be the same before and after the test."""

    def predict():
        return outputs(call(message("recommender", user_id=np.array([b"ann"], object))))

    before = predict()
    yield before
    assert predict() == before


def outputs(answer):
    response = predict_pb2.PredictResponse.FromString(answer).outputs
    return {name: tf.make_ndarray(proto).tolist() for name, proto in response.items()}


def message(model, **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request.SerializeToString()


def post(server, body, path="/v1/models/recommender:predict"):
    """Status and body of the answer, also of an error."""
    address = urllib.parse.urlsplit(server.rest_url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    try:
        connection.request("POST", path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.usefixtures("valid_answer")
def test_tensors_that_match_no_signature(call):
    rng = np.random.default_rng(1)
    answered = 0
    for _ in range(1500):
        model = rng.choice(["recommender", "retrieval", "ranking"])
        chosen = rng.choice(len(NAMES), rng.integers(1, 4), replace=False)
        inputs = {NAMES[n]: VALUES[rng.integers(len(VALUES))] for n in chosen}
        try:
            call(message(str(model), **inputs))
            answered += 1
        except grpc.RpcError as error:
            if error.code() not in REFUSALS - {grpc.StatusCode.INTERNAL}:
                raise
    assert 0 < answered < 1500


@pytest.mark.usefixtures("valid_answer")
def test_truncated_and_corrupt_messages(call):
    valid = message("recommender", user_id=np.array([b"ann"], object), now=np.array([5]))
    rng = np.random.default_rng(2)
    for _ in range(1500):
        broken = bytearray(valid[: rng.integers(len(valid) + 1)])
        for position in rng.integers(0, max(1, len(broken)), rng.integers(0, 4)):
            broken[position : position + 1] = rng.bytes(1)
        try:
            call(bytes(broken))
        except grpc.RpcError as error:
            if error.code() not in REFUSALS:
                raise


TEXTS = [
    b"", b"{", b"[]", b"null", b"\xff\xfe", b"\x00", b'{"instances": []}', b'{"instances": [1]}',
    b'{"instances": {}}', b'{"inputs": 5}', b'{"inputs": {"k": "3"}}',
    b'{"inputs": {"k": [1e400]}}', b'{"inputs": {"k": [99999999999999999999]}}',
    b'{"inputs": {"k": [-3]}}', b'{"inputs": {"k": [0.5]}}', b'{"inputs": {"k": [[1], [2, 3]]}}',
    b'{"inputs": {"k": NaN}}', b'{"inputs": {"user_id": [null]}}',
    b'{"inputs": {"user_id": [{"b64": "%%"}]}}', b'{"inputs": {"user_id": ["\\ud800"]}}',
    b'{"inputs": {"nobody": [1]}}', b'{"instances": [{"k": 1}, {"user_id": "a"}]}',
    b'{"signature_name": 3, "inputs": {}}', b'{"signature_name": "x", "inputs": {}}',
    b'{"instances": [{}], "inputs": {}}', b"[" * 100_000, b'{"inputs": ' * 5_000,
]  # fmt: skip


@pytest.mark.usefixtures("valid_answer")
def test_invalid_bodies(server):
    rng = np.random.default_rng(3)
    for text in TEXTS:
        status, answer = post(server, text)
        assert (text, status) == (text, 400)
        assert "error" in json.loads(answer)
    valid = b'{"inputs": {"user_id": ["ann"], "k": [3], "history_item_ids": [["a"]]}}'
    for _ in range(700):
        broken = bytearray(valid)
        for position in rng.integers(0, len(broken), rng.integers(1, 4)):
            broken[position : position + 1] = rng.bytes(rng.integers(0, 3))
        assert post(server, bytes(broken))[0] in (200, 400)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/..%2f..%2fetc:predict",
        "/v1/models/%00:predict",
        "/v1/models/recommender/versions/99999999999999999999:predict",
        "/v1/models/recommender/versions/-1:predict",
        "/v1/models/recommender:explode",
        "/v1/models/" + "x" * 5000 + ":predict",
        "/../../etc/passwd",
    ],
)
@pytest.mark.usefixtures("valid_answer")
def test_invalid_paths(server, path):
    status, answer = post(server, b'{"inputs": {}}', path)
    assert status in (400, 404)
    assert b"root:" not in answer


def test_names_in_requests_are_never_paths(call):
    for name in ("../recommender", "/etc", "recommender/1", "recommender\x00", "."):
        with pytest.raises(grpc.RpcError) as error:
            call(message(name))
        assert error.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.usefixtures("valid_answer")
def test_a_request_that_is_too_large_is_refused(server, call):
    with pytest.raises(grpc.RpcError) as error:
        call(b"\0" * (LARGEST + 1))
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert post(server, b" " * (LARGEST + 1))[0] == 413


def test_a_history_of_a_million_is_answered(call):
    """It contains every item except é."""
    history = np.array([[b"a", b"b", b"c", b"d"] * 250_000], object)
    result = outputs(call(message("recommender", history_item_ids=history, k=np.array([2], "i4"))))
    assert result["item_ids"] == [["é".encode(), b""]]


@pytest.mark.usefixtures("valid_answer")
def test_slow_and_silent_clients_do_not_delay_others(server, call):
    """Twenty clients begin a request and stop; others are answered meanwhile."""
    address = urllib.parse.urlsplit(server.rest_url)
    host, _, port = server.grpc_address.rpartition(":")
    partial_request = (
        b"POST /v1/models/recommender:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
    )
    clients = []
    try:
        for _ in range(10):
            for destination, first in (
                ((address.hostname, address.port), partial_request),
                ((host, int(port)), b"PRI"),
            ):
                client = socket.create_connection(destination, timeout=10)
                client.sendall(first)
                clients.append(client)
        for _ in range(20):
            assert post(server, b'{"inputs": {}}')[0] == 200
            call(message("retrieval"))
    finally:
        for client in clients:
            client.close()


def test_a_body_that_does_not_arrive_times_out(tmp_path):
    with run_server(push_servables(tmp_path), ServerOptions(body_s=0.2)) as server:
        host, port = urllib.parse.urlsplit(server.rest_url).netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=30) as client:
            client.sendall(
                b"POST /v1/models/recommender:predict HTTP/1.1\r\nHost: x\r\n"
                b"Content-Length: 99\r\n\r\n{"
            )
            with client.makefile("rb") as answer:
                assert answer.readline().split()[1] == b"408"
                assert b"within 0.2 s" in answer.read()  # up to the end of the connection


def test_no_files_or_threads_remain(server, call, caplog):
    """Hundreds of errors of each kind leave no more threads, files and objects than before, and no
    crash is logged.
    """

    def refuse(times):
        for _ in range(times):
            assert post(server, b"{")[0] == 400
            with pytest.raises(grpc.RpcError):
                call(message("nobody"))
            with pytest.raises(grpc.RpcError):
                call(b"\xff" * 100)
        gc.collect()
        return len(gc.get_objects())

    objects = refuse(50)
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    with caplog.at_level(logging.ERROR):
        assert refuse(450) < objects + 450
    assert caplog.records == []
    assert threading.active_count() <= threads + 2
    assert len(os.listdir("/proc/self/fd")) <= files + 10
