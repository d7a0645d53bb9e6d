"""TensorFlow Serving's REST paths, called over raw HTTP."""

import base64
import json
import urllib.error
import urllib.request

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import predict_pb2

ROWS = [
    {"user_id": "ann", "x": [1.0, 2.0], "k": 10},
    {"user_id": "bob", "x": [3.5, 0.5], "k": 100},
]
COLUMNS = {"user_id": ["ann", "bob"], "x": [[1.0, 2.0], [3.5, 0.5]], "k": [10, 100]}


@pytest.fixture(scope="module")
def send(server):
    def call(path, body=None):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(server.rest_url + path, data=data, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    return call


@pytest.mark.parametrize("path", ["/v1/models/greeter", "/v1/models/greeter/versions/1"])
def test_row_and_column_format_give_the_same_answer(send, path):
    assert send(f"{path}:predict", {"instances": ROWS}) == (
        200,
        {
            "predictions": [
                {"greeting": "v1:ann", "k": 10, "total": 30.0},
                {"greeting": "v1:bob", "k": 100, "total": 400.0},
            ]
        },
    )
    assert send(f"{path}:predict", {"inputs": COLUMNS}) == (
        200,
        {"outputs": {"greeting": ["v1:ann", "v1:bob"], "k": [10, 100], "total": [30.0, 400.0]}},
    )


@settings(max_examples=25)
@given(
    rows=st.lists(
        st.tuples(
            st.text(alphabet=st.characters(exclude_categories=["Cs"])),
            st.floats(-1000, 1000, width=32),
            st.integers(0, 2**63 - 1),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_rest_and_grpc_give_the_same_answer(send, predictions, rows):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "greeter"
    names, numbers, ks = (list(column) for column in zip(*rows, strict=True))
    pairs = [[number, 0.1] for number in numbers]
    request.inputs["user_id"].CopyFrom(tf.make_tensor_proto(names, tf.string))
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(pairs, tf.float32))
    request.inputs["k"].CopyFrom(tf.make_tensor_proto(ks, tf.int64))
    over_grpc = predictions.Predict(request, timeout=10).outputs
    status, over_rest = send(
        "/v1/models/greeter:predict", {"inputs": {"user_id": names, "x": pairs, "k": ks}}
    )
    assert status == 200
    greetings = [text.encode() for text in over_rest["outputs"]["greeting"]]
    assert greetings == list(over_grpc["greeting"].string_val)
    assert over_rest["outputs"]["k"] == list(over_grpc["k"].int64_val) == ks
    totals = tf.constant(over_rest["outputs"]["total"], tf.float32).numpy().tolist()
    assert totals == list(over_grpc["total"].float_val)


def test_base64_in_and_out(send):
    raw = bytes(range(256))
    coded = {"b64": base64.b64encode(raw).decode()}
    path = "/v1/models/echo:predict"
    plain = {"b64": base64.b64encode(b"plain").decode()}
    assert send(path, {"instances": [coded, "plain"]}) == (200, {"predictions": [coded, plain]})
    assert send(path, {"instances": [{"raw": coded}]}) == (200, {"predictions": [coded]})
    assert send(path, {"inputs": [coded]}) == (200, {"outputs": [coded]})
    assert send(path, {"inputs": {"raw": [coded]}}) == (200, {"outputs": [coded]})


def test_floats_come_back_in_their_shortest_form(send):
    body = {"inputs": {"user_id": ["a"], "x": [[0.2, 0.0]], "k": [1]}}
    _, answer = send("/v1/models/greeter:predict", body)
    assert answer["outputs"]["total"] == [0.2]


def test_invalid_utf8_is_refused_in_a_text_output(send):
    broken = {"b64": base64.b64encode(b"\xff").decode()}
    body = {"inputs": {"user_id": [broken], "x": [[1.0, 1.0]], "k": [1]}}
    status, answer = send("/v1/models/greeter:predict", body)
    assert status == 400
    assert answer["error"].startswith("output greeting has bytes that are not UTF-8")


def change_columns(**change):
    return {"inputs": {**COLUMNS, **change}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "JSON Parse error: "),
        (b"{", "JSON Parse error: "),
        (b"\xff", "JSON Parse error: "),
        (b"[" * 100_000, "JSON Parse error: lists are nested too deeply"),
        ([1], "JSON Value: Is not object"),
        ({}, "expected exactly one of the keys 'inputs' and 'instances'"),
        ({"inputs": COLUMNS, "instances": ROWS}, "expected exactly one of the keys"),
        ({"instances": []}, "expected 'instances' to be a list with at least one row"),
        ({"instances": {"x": 1}}, "expected 'instances' to be a list with at least one row"),
        ({"instances": [1, 2]}, "expected an object of named inputs"),
        ({"instances": [ROWS[0], 7]}, "Failed to process element: 1 of 'instances' list"),
        ({"instances": [{"x": [1, 2]}]}, "Failed to process element: 0 of 'instances' list"),
        ({"inputs": [1, 2]}, "expected an object of named inputs"),
        ({"inputs": {"x": [[1, 2]], "k": [1]}}, "Missing named input: user_id"),
        ({"signature_name": 100, "inputs": COLUMNS}, "'signature_name' key must be a string"),
        ({"signature_name": "other", "inputs": COLUMNS}, 'Serving signature key "other" not found'),
        (change_columns(user_id=[1, 2]), "input user_id: JSON int is not of expected type: string"),
        (
            change_columns(user_id=["a", None]),
            "input user_id: JSON NoneType is not of expected type",
        ),
        (change_columns(user_id=["a", {"b": 1}]), "input user_id: expected a string or one"),
        (change_columns(user_id=["a", {"b64": "!"}]), "input user_id: Unable to base64 decode"),
        (change_columns(user_id=["a", "\ud800"]), "input user_id: a string is not valid Unicode"),
        (change_columns(k=[1, 2.5]), "input k: JSON float is not of expected type: int64"),
        (change_columns(k=[1, True]), "input k: JSON bool is not of expected type: int64"),
        (change_columns(k=[1, "2"]), "input k: JSON str is not of expected type: int64"),
        (change_columns(k=[1, 2**63]), "input k: a number is out of the range of int64"),
        (change_columns(x=[[1.0, 2.0], [3.0]]), "input x: lists at one level must have one length"),
        (change_columns(x=[[1.0, 2.0], 3.0]), "input x: lists at one level must have one length"),
        (change_columns(x=[[1.0, 1e300], [1.0, 1.0]]), "input x: a number does not fit float32"),
        (change_columns(x=[[1.0, 10**400], [1.0, 1.0]]), "input x: a number does not fit float32"),
        (
            change_columns(x=[[1.0], [1.0]]),
            "input x expects shape (None, 2) but (2, 1) is provided",
        ),
        (change_columns(k=[1, -1]), ""),
    ],
)
def test_requests_that_do_not_fit(send, body, message):
    status, answer = send("/v1/models/greeter:predict", body)
    assert status == 400
    assert answer["error"].startswith(message)


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        (
            "/v1/models/nobody:predict",
            {"instances": ROWS},
            404,
            "Servable not found for request: Latest(nobody)",
        ),
        (
            "/v1/models/greeter/versions/9:predict",
            {"instances": ROWS},
            404,
            "Servable not found for request: Specific(greeter, 9)",
        ),
        ("/v1/models/nobody", None, 404, "Could not find any versions of model nobody"),
        (
            "/v1/models/greeter/versions/9",
            None,
            404,
            "Could not find version 9 of model greeter",
        ),
        (
            f"/v1/models/greeter/versions/{2**63}",
            None,
            400,
            f"Failed to convert version: {2**63} to numeric.",
        ),
        ("/v1/models/greeter", {}, 400, "Malformed request: POST /v1/models/greeter"),
        ("/v1/models/greeter:predict", None, 400, "Malformed request: GET "),
        ("/v1/models/greeter:classify", {"examples": []}, 400, "Expected one input Tensor."),
        ("/v1/models/echo:regress", {"examples": []}, 400, "No regression inputs found"),
        ("/v1/models/echo:regress", {"instances": []}, 400, "When method is classify, key"),
    ],
)
def test_invalid_paths(send, path, body, status, message):
    received, answer = send(path, body)
    assert received == status
    assert answer["error"].startswith(message)


def test_status(send):
    entry = {
        "version": "1",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    expected = (200, {"model_version_status": [entry]})
    assert send("/v1/models/greeter") == send("/v1/models/greeter/versions/1") == expected


def test_metadata(send):
    status, answer = send("/v1/models/greeter/metadata")
    assert status == 200
    assert answer["model_spec"]["name"] == "greeter"
    assert answer["model_spec"]["version"] == "1"
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"]["x"]["dtype"] == "DT_FLOAT"
    sizes = [dim["size"] for dim in signature["inputs"]["x"]["tensor_shape"]["dim"]]
    assert sizes == ["-1", "2"]
    assert set(signature["outputs"]) == {"total", "greeting", "k"}
