"""Every malformed request gets an error that names its fault: never 500, UNKNOWN or a traceback."""

import gzip
import http.client
import json
import logging
import socket
import time
import urllib.parse

import grpc
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.server.app import run_server
from serving.server.options import ServerOptions
from serving.versions.local import LocalVersionStore
from tests.serving.planted_servables import push_servables

LARGEST = 2**20
PATH = "/v1/models/recommender:predict"


class Constant(tf.Module):
    """A signature without inputs, and one with a scalar input."""

    @tf.function(input_signature=[])
    def seven(self):
        return {"seven": tf.constant([7])}

    @tf.function(input_signature=[tf.TensorSpec([], tf.int64, name="n")])
    def twice(self, n):
        return {"twice": 2 * n}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("malformed")
    serving_dir, model = push_servables(folder), Constant()
    signatures = {"serving_default": model.seven, "twice": model.twice}
    tf.saved_model.save(model, str(folder / "constant"), signatures=signatures)
    LocalVersionStore(serving_dir).push({"constant": folder / "constant"})
    with run_server(serving_dir, ServerOptions(max_message_bytes=LARGEST)) as running:
        yield running


@pytest.fixture(scope="module")
def predictions(server):
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


class LogCollector(logging.Handler):
    """Logged lines of every phase of a test: caplog drops those of the call at teardown."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


@pytest.fixture
def quiet():
    """Fails the test if the server logs a warning or an error."""
    collector = LogCollector()
    logging.getLogger().addHandler(collector)
    yield
    logging.getLogger().removeHandler(collector)
    assert collector.lines == []


@pytest.fixture(scope="module")
def send(server):
    address = urllib.parse.urlsplit(server.rest_url)

    def send_request(body, path=PATH, method="POST", headers=None):
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
        try:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, content, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    return send_request


def get_rest_error(answer):
    """The message of an error, which is JSON."""
    status, text = answer
    assert status == 400, text
    return json.loads(text)["error"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | st.sampled_from(["ann", 10**400, -1, 0, 2**63, "\ud800", {"b64": "!"}, {"b64": "YQ=="}, {}]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
NAMES = st.sampled_from(
    ["user_id", "history_item_ids", "history_timestamps", "now", "context_device", "k",
     "excluded_item_ids", "users", ""]
)  # fmt: skip
INPUTS = st.dictionaries(NAMES, JSON, max_size=3)
BODIES = st.one_of(
    JSON,
    st.fixed_dictionaries({"instances": JSON | st.lists(INPUTS | JSON, max_size=4)}),
    st.fixed_dictionaries({"inputs": JSON | INPUTS}),
    st.fixed_dictionaries({"inputs": INPUTS}, optional={"signature_name": JSON, "instances": JSON}),
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=BODIES)
@example(body={"instances": [None, {}]})
@example(body={"instances": [1]})
@example(body={"instances": [True, {}]})
@example(body={"instances": [[[1]], {}]})
@example(body={"instances": [{}, None]})
@example(body={"inputs": {}, "signature_name": "__saved_model_init_op"})
@example(body={"inputs": {}, "signature_name": "\ud800"})
@pytest.mark.usefixtures("quiet")
def test_any_json_anywhere_in_the_body(send, body):
    status, text = send(body)
    assert status in (200, 400)
    assert ("error" in json.loads(text)) == (status == 400)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    parts=st.lists(
        st.sampled_from(
            ["v1", "models", "recommender", "recommender:predict", "versions", "1", "labels", "%00",
             "%2F", "%FF", "%ED%A0%80", "..", ":predict", ":classify", "9" * 5000, "-1", "%D9%A3",
             "metadata", "", "?", "nobody:regress"]
        ),
        max_size=7,
    ),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]),
)  # fmt: skip
@pytest.mark.usefixtures("quiet")
def test_any_path(send, parts, method):
    status, _ = send(b'{"inputs": {}, "examples": []}', "/" + "/".join(parts), method)
    assert status in (200, 400, 404, 405, 501)


@pytest.mark.usefixtures("quiet")
def test_numbers_of_thousands_of_digits(send):
    body = b'{"inputs": {"k": [' + b"9" * 5000 + b"]}}"
    assert get_rest_error(send(body)).startswith("JSON Parse error: ")


@pytest.mark.usefixtures("quiet")
def test_deep_nesting(send):
    for depth in (33, 500, 100_000):
        for brackets in (b"[]", b"{}"):
            opened = brackets[:1] if brackets == b"[]" else b'{"b64":'
            body = b'{"inputs":{"user_id":' + opened * depth + b"1" + brackets[1:] * depth + b"}}"
            assert get_rest_error(send(body))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "nothing"])
@pytest.mark.usefixtures("quiet")
def test_a_body_that_does_not_match_its_content_encoding(send, coding):
    assert send(b"no such thing", headers={"Content-Encoding": coding})[0] == 400


@pytest.mark.usefixtures("quiet")
def test_refusals_of_the_body_are_json(send):
    assert get_rest_error(send(b"no gzip", headers={"Content-Encoding": "gzip"}))
    packed = gzip.compress(b'{"inputs": {"k": [2]}}')
    assert send(packed, headers={"Content-Encoding": "gzip"})[0] == 200
    for body, headers in (
        (b" " * (LARGEST + 1), {}),
        (gzip.compress(b" " * (LARGEST + 1)), {"Content-Encoding": "gzip"}),
    ):
        status, text = send(body, headers=headers)
        assert status == 413
        assert "Maximum request body size" in json.loads(text)["error"]
    assert send(b'{"inputs": {}}', headers={"Content-Type": "text/plain; charset=none"})[0] == 200


HEAD = b"POST /v1/models/recommender:predict HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"garbage\r\n\r\n", b"\x16\x03\x01\x00\r\n\r\n", HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"POST * HTTP/1.1\r\nHost: x\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}\r\n0\r\n\r\n",
        b"GET /v1/models/\xff HTTP/1.1\r\nHost: x\r\n\r\n", HEAD + b"\xff: \xff\r\n\r\n",
        HEAD + b"Content-Length: 2\r\nx-request-id: \xff\xfe\r\n\r\n{}",
        HEAD + b"X: " + b"a" * 9000 + b"\r\n\r\n",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("quiet")
def test_bytes_that_are_not_http(server, send, sent):
    address = urllib.parse.urlsplit(server.rest_url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as client:
        client.sendall(sent)
        assert client.recv(4096).split()[1] == b"400"
    assert send({"inputs": {}})[0] == 200


@pytest.mark.usefixtures("quiet")
def test_callers_that_disconnect_early(server, send, predictions):
    address = urllib.parse.urlsplit(server.rest_url)
    for sent in (
        HEAD + b"Content-Length: 99\r\n\r\n{",
        HEAD + b'Content-Length: 13\r\n\r\n{"inputs":{}}',
    ):
        for _ in range(20):
            with socket.create_connection((address.hostname, address.port), timeout=30) as client:
                client.sendall(sent)
    calls = [
        predictions.Predict.future(build_request("recommender"), timeout=10) for _ in range(40)
    ]
    for call in calls:
        call.cancel()
    time.sleep(0.5)
    assert send({"inputs": {}})[0] == 200


def build_request(model, signature="", **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for alias, value in inputs.items():
        request.inputs[alias].CopyFrom(tf.make_tensor_proto(value))
    return request


def get_grpc_error(call, request):
    with pytest.raises(grpc.RpcError) as error:
        call(request, timeout=30)
    return error.value.code().name, str(error.value.details())


@pytest.mark.usefixtures("quiet")
def test_a_signature_that_runs_an_op_is_not_served(predictions):
    code, message = get_grpc_error(
        predictions.Predict, build_request("recommender", "__saved_model_init_op")
    )
    assert (code, message) == (
        "FAILED_PRECONDITION", 'Serving signature key "__saved_model_init_op" not found.'
    )  # fmt: skip


@pytest.mark.usefixtures("quiet")
def test_signatures_without_rows_answer_each_caller_separately(predictions, send):
    sevens = [predictions.Predict.future(build_request("constant"), timeout=30) for _ in range(20)]
    request = [build_request("constant", "twice", n=tf.constant(n, tf.int64)) for n in range(20)]
    twices = [predictions.Predict.future(one, timeout=30) for one in request]
    assert all(list(one.result().outputs["seven"].int_val) == [7] for one in sevens)
    assert [list(one.result().outputs["twice"].int64_val) for one in twices] == [
        [2 * n] for n in range(20)
    ]
    assert send({"inputs": {}}, "/v1/models/constant:predict") == (200, '{"outputs": [7]}')


@pytest.mark.usefixtures("quiet")
def test_error_messages_fit_into_the_response_header(predictions):
    for letter in ("x", "é", "語", "\0"):
        long = letter * 30_000
        assert get_grpc_error(predictions.Predict, build_request(long))[0] == "NOT_FOUND"
        assert (
            get_grpc_error(predictions.Predict, build_request("recommender", long))[0]
            == "FAILED_PRECONDITION"
        )
        request = build_request("recommender", "", **{long: [1]})
        assert get_grpc_error(predictions.Predict, request)[0] == "INVALID_ARGUMENT"
        request = build_request("recommender")
        request.output_filter.append(long)
        assert get_grpc_error(predictions.Predict, request)[0] == "INVALID_ARGUMENT"
        metadata = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=[long])
        metadata.model_spec.name = "recommender"
        assert get_grpc_error(predictions.GetModelMetadata, metadata)[0] == "INVALID_ARGUMENT"


@pytest.mark.usefixtures("quiet")
def test_types_without_arrays(predictions):
    for dtype in [0, 11, 20, 21, 24, 101, 107, 999]:
        request = build_request("recommender", k=[1])
        request.inputs["k"].dtype = dtype
        code, message = get_grpc_error(predictions.Predict, request)
        assert (code, message) == ("INVALID_ARGUMENT", "tensor parsing error: k")


HISTORY = "history_timestamps must be as long as history_item_ids"


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            {"user_idd": ["a"]},
            "user_idd is not an input, did you mean user_id? Inputs are: context_",
        ),
        (
            {"zzz": ["a"]},
            "zzz is not an input. Inputs are: context_device, diversity, excluded_item",
        ),
        ({"k": [0]}, "k must be at least 1, received 0"),
        ({"k": [3, -2], "user_id": ["a", "b"]}, "k must be at least 1, received -2"),
        ({"diversity": [1.5]}, "diversity must be between 0 and 1, received 1.5"),
        ({"diversity": [0.5, -1.0]}, "diversity must be between 0 and 1, received -1"),
        ({"now": [1720000000000]}, "which looks like milliseconds: send 1720000000"),
        ({"now": [1720000000000000]}, "which looks like microseconds: send 1720000000"),
        (
            {"history_item_ids": [["a", "b"]], "history_timestamps": [[1720000000, 1720000000123]]},
            "history_timestamps: expected seconds since epoch, UTC, received 1720000000123",
        ),
        ({"history_item_ids": [["a", "b"]], "history_timestamps": [[1]]}, HISTORY),
        ({"user_id": ["a", "b"], "now": [1, 2, 3]}, "user_id has 2 rows and now has 3"),
    ],
)
@pytest.mark.usefixtures("quiet")
def test_both_ports_give_the_same_message(send, predictions, inputs, message):
    assert message in get_rest_error(send({"inputs": inputs}))
    types = {"k": tf.int32, "now": tf.int64, "history_timestamps": tf.int64}
    types["diversity"] = tf.float32
    tensors = {name: tf.constant(value, types.get(name)) for name, value in inputs.items()}
    code, details = get_grpc_error(predictions.Predict, build_request("recommender", **tensors))
    assert code == "INVALID_ARGUMENT"
    assert message in details


@pytest.mark.usefixtures("quiet")
def test_rows_of_different_length_get_an_error_with_advice(send):
    rows = [{"history_item_ids": ["a", "b"]}, {"history_item_ids": ["a"]}]
    for body in (
        {"instances": rows},
        {"inputs": {"history_item_ids": [row["history_item_ids"] for row in rows]}},
    ):
        message = get_rest_error(send(body))
        assert message.startswith("input history_item_ids: lists at one level must have one length")
        assert "received 1 to 2: fill the shorter ones in front" in message
    misspelt = get_rest_error(send({"instances": [{"user_id": "a"}, {"user_idd": "a"}]}))
    assert "element: 1 of" in misspelt
    assert "did you mean user_id?" in misspelt
