"""False shapes: a few bytes that claim gigabytes are refused before anything is allocated."""

import http.client
import json
import pathlib
import re
import resource
import subprocess
import sys
import threading
import time
import urllib.parse

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from serving.config import RequestLimits
from serving.protocol.errors import RequestError
from serving.protocol.limits import TensorHeader, check_list_sizes, check_tensor_sizes
from serving.protocol.tensors import parse_tensor, read_tensor_header
from serving.server.app import run_server
from serving.server.options import ServerOptions
from serving.versions.local import LocalVersionStore
from tests.serving.planted_servables import push_servables

ROOT = pathlib.Path(__file__).resolve().parents[3]
SPARE_BYTES = 2 * 2**30


def tensor(dtype, shape, **values):
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum, **values)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def request(model="recommender", **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    for alias, proto in inputs.items():
        request.inputs[alias].CopyFrom(proto)
    return request


OVERSIZED_REQUESTS = {
    "a k for each of 16 million rows": request(k=tensor(tf.int32, [2**24], int_val=[1])),
    "a history of 4 million": request(
        history_item_ids=tensor(tf.string, [1, 2**22], string_val=[b"a"])
    ),
    "users": request(user_id=tensor(tf.string, [2**40], string_val=[b"a"])),
    "users of TensorFlow's own packing": request(
        user_id=tensor(tf.string, [2**30], tensor_content=b"\x01a")
    ),
    "no rows of endless width": request(history_item_ids=tensor(tf.string, [0, 2**62])),
    "rows of nothing, endlessly": request(history_timestamps=tensor(tf.int64, [2**62, 0])),
    "a product beyond 64 bits": request(
        history_timestamps=tensor(tf.int64, [2**32, 2**32], int64_val=[1])
    ),
    "a product that wraps to 0": request(
        history_timestamps=tensor(tf.int64, [2**32, 2**32, 0], int64_val=[])
    ),
    "fewer than none": request(k=tensor(tf.int32, [-1], int_val=[1])),
    "minus times minus": request(k=tensor(tf.int32, [-4, -4], int_val=[1] * 16)),
    "content that is short": request(now=tensor(tf.int64, [2**20], tensor_content=b"12345678")),
    "content that is long": request(now=tensor(tf.int64, [1], tensor_content=b"1" * 4096)),
    "a dimension too many": request(k=tensor(tf.int32, [1] * 33, int_val=[1])),
    "one long history for all of many rows": request(
        user_id=tensor(tf.string, [1024], string_val=[b"a"]),
        history_item_ids=tensor(tf.string, [1, 2**19], string_val=[b"a"]),
    ),
    "a long text, for each of a million": request(
        excluded_item_ids=tensor(tf.string, [1, 2**20], string_val=[b"x" * 1000])
    ),
    "a long text, for each of a thousand rows": request(
        user_id=tensor(tf.string, [1], string_val=[b"x" * 10**6]),
        now=tensor(tf.int64, [1024], int64_val=[0]),
    ),
    "a long text of another model": request(
        "echo", raw=tensor(tf.string, [2**20], string_val=[b"x" * 1000])
    ),
    "candidates": request(
        "ranking", candidate_item_ids=tensor(tf.string, [1024, 2**11], string_val=[b"a"])
    ),
    "another type than the model's": request(k=tensor(tf.complex128, [2**20], dcomplex_val=[1, 0])),
}


def test_limits_are_computed_from_shapes():
    limits = RequestLimits(max_tensor_bytes=1000, max_rows=4, max_list=20, max_categories=2)
    listing = meta_graph_pb2.SignatureDef()
    for name in ("user_id", "history_item_ids", "history_timestamps", "allowed_categories"):
        listing.inputs[name].dtype = 1

    def get_error(**shapes):
        headers = {name: TensorHeader(dtype, shape) for name, (dtype, shape) in shapes.items()}
        try:
            check_tensor_sizes(limits, listing, headers)
        except RequestError as error:
            return str(error)
        return ""

    assert get_error(user_id=(tf.string, (4,)), history_timestamps=(tf.int64, (4, 20))) == ""
    assert get_error(user_id=(tf.string, (5,))).startswith(
        "Task size 5 is larger than maximum input batch size 4;"
    )
    assert "at most 20 values a row of history_timestamps in one request, received 21" in get_error(
        history_timestamps=(tf.int64, (1, 21))
    )
    assert "--max-categories" in get_error(allowed_categories=(tf.string, (1, 3)))
    # 4 rows of 4 strings of 64 bytes each are 1024, though only 4 of them were sent.
    assert "at most 1000 bytes of tensors in one request, received 1280" in get_error(
        user_id=(tf.string, (4,)), history_item_ids=(tf.string, (1, 4))
    )


def test_a_string_is_counted_for_each_occurrence():
    """In a tensor that repeats it, and in one row that applies to all."""
    limits = RequestLimits(max_tensor_bytes=100_000)
    listing, other = meta_graph_pb2.SignatureDef(), meta_graph_pb2.SignatureDef()
    for name in ("user_id", "history_item_ids", "now"):
        listing.inputs[name].dtype = 7
    repeated = read_tensor_header("x", tensor(tf.string, [1, 3], string_val=[b"a", b"x" * 1000]))
    assert 2001 <= repeated.text_bytes <= 2100  # "a", twice the other, and overhead
    alone = TensorHeader(tf.string, (1,), 1000)
    shared = {"user_id": alone, "now": TensorHeader(tf.int64, (94,))}  # 94 * (64 + 8 + 1000)
    with pytest.raises(RequestError, match="received 100768"):
        check_tensor_sizes(limits, listing, shared)
    check_tensor_sizes(limits, listing, shared | {"now": TensorHeader(tf.int64, (93,))})
    check_tensor_sizes(limits, other, {"raw": TensorHeader(tf.string, (5,), 99_680)})
    with pytest.raises(RequestError, match="received 100001"):
        check_tensor_sizes(limits, other, {"raw": TensorHeader(tf.string, (5,), 99_681)})
    arrays = {"user_id": np.array([b"x" * 1000], object), "now": np.zeros(94, np.int64)}
    with pytest.raises(RequestError, match="received 100768"):
        check_tensor_sizes(limits, listing, arrays)


@pytest.mark.parametrize(
    ("k", "rows", "items", "fits"),
    [(10, 1, 99, True), (11, 1, 99, False), (2**31 - 1, 1, 10, True), (11, 1, None, False),
     (10, 3, 99, True), (10, 4, 99, False), (2**31 - 1, 10, 3, True)],
)  # fmt: skip
def test_scored_items_are_bounded_by_the_catalogue(k, rows, items, fits):
    limits = RequestLimits(max_k=10, max_scored=30)
    listing = meta_graph_pb2.SignatureDef()
    listing.inputs["user_id"].dtype = listing.inputs["history_item_ids"].dtype = 7
    inputs = {"user_id": np.zeros(rows, object), "k": np.array([k], np.int32)}
    try:
        check_list_sizes(limits, listing, inputs, items)
        assert fits
    except RequestError:
        assert not fits


@pytest.mark.parametrize(
    "proto",
    [
        tensor(tf.int32, [5], int_val=[7]), tensor(tf.int64, [2, 2], int64_val=[1, 2]),
        tensor(tf.string, [3], string_val=[b"a"]), tensor(tf.float32, [2], float_val=[0.5]),
        tensor(tf.uint8, [2], tensor_content=b"\x01\x02"), tensor(tf.int32, [2]),
        tensor(tf.float16, [2], tensor_content=b"\x00\x3c\x00\x40"),
    ],
)  # fmt: skip
def test_valid_tensors_are_parsed_as_by_tensorflow(proto):
    result = parse_tensor("x", proto)
    np.testing.assert_array_equal(result, tf.make_ndarray(proto))
    assert result.dtype == tf.make_ndarray(proto).dtype


def test_limits_are_the_servers_own(tmp_path):
    options = ServerOptions(limits=RequestLimits(max_rows=2))
    with (
        run_server(push_servables(tmp_path), options) as server,
        grpc.insecure_channel(server.grpc_address) as channel,
    ):
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
        two = tensor(tf.string, [2], string_val=[b"a", b"b"])
        assert len(predict(request(user_id=two), timeout=30).outputs) == 4
        with pytest.raises(grpc.RpcError, match="Task size 3 is larger than maximum"):
            predict(request(user_id=tensor(tf.string, [3], string_val=[b"a"])), timeout=30)
        assert post(server.rest_url, {"instances": [{}] * 2})[0] == 200
        assert post(server.rest_url, {"instances": [{}] * 3})[0] == 400
        assert post(server.rest_url, {"inputs": {"user_id": ["a"] * 3}})[0] == 400


def post(url, body):
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    try:
        connection.request("POST", "/v1/models/recommender:predict", json.dumps(body))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def cramped(tmp_path_factory, echo):
    """A real `tandem serve`, limited to 2 GB of address space more than it uses at its start."""
    folder = push_servables(tmp_path_factory.mktemp("cramped"))
    LocalVersionStore(folder).push({"echo": echo})
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "serve", "--root", str(folder.parent),
         "--grpc-port", "0", "--rest-port", "0"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    ready = re.search(r"gRPC (\S+), REST (\S+)", process.stdout.readline())
    assert ready is not None
    statm = pathlib.Path(f"/proc/{process.pid}/statm").read_text()
    limit = int(statm.split()[0]) * resource.getpagesize() + SPARE_BYTES
    resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, limit))
    yield process, ready[1], ready[2]
    process.kill()
    process.communicate()


def test_oversized_requests_are_refused_and_others_are_answered_meanwhile(cramped):
    process, address, url = cramped
    slowest, stopped = [0.0], threading.Event()

    def keep_sending(predict):
        while not stopped.is_set():
            begin = time.perf_counter()
            assert len(predict(request(), timeout=20).outputs) == 4
            slowest[0] = max(slowest[0], time.perf_counter() - begin)

    with grpc.insecure_channel(address) as channel:
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
        assert len(predict(request(), timeout=30).outputs) == 4
        sender = threading.Thread(target=keep_sending, args=[predict])
        sender.start()
        for oversized in OVERSIZED_REQUESTS.values():
            for _ in range(3):
                with pytest.raises(grpc.RpcError) as refused:
                    predict(oversized, timeout=20)
                assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT, oversized
        for body in (
            {"instances": [{}] * 20_000},
            {"inputs": {"k": [1] * 200_000}},
            {"inputs": {"user_id": ["x" * 10**6], "k": [1] * 1024}},
        ):
            assert post(url, body)[0] == 400
        stopped.set()
        sender.join(60)
        assert len(predict(request(), timeout=30).outputs) == 4
    assert process.poll() is None
    assert 0 < slowest[0] < 10


def test_a_message_of_many_small_fields_is_not_parsed(cramped):
    """Sixty million bytes of empty resources become 4 GB when parsed."""
    process, address, _ = cramped
    body = b"\x72\x00" * 30_000_000
    for _ in range(2):
        body = b"\x12" + varint(len(body)) + body
    with grpc.insecure_channel(address) as channel:
        predict = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        with pytest.raises(grpc.RpcError, match="expected at most 4194304 fields") as refused:
            predict(body, timeout=60)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert process.poll() is None


def varint(number):
    more, number = number >> 7, number & 127
    return bytes([number | 128]) + varint(more) if more else bytes([number])
