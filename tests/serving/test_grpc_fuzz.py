"""Any PredictRequest gets an answer, or an error that is the caller's fault."""

import grpc
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from serving.server.app import run_server
from tests.serving.planted_servables import push_servables

FAULTS = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
}
INPUTS = ("user_id", "history_item_ids", "history_timestamps", "now", "excluded_item_ids", "k")
SIGNATURES = ("", "serving_default", "__saved_model_init_op", "none", "x" * 50_000)
DTYPES = (
    tf.string, tf.int32, tf.int64, tf.float32, tf.float64, tf.bool, tf.uint8, tf.uint32, tf.float16,
    tf.bfloat16, tf.complex64, tf.variant, tf.resource, tf.qint8,
)  # fmt: skip
SIZES = st.integers(-1, 4) | st.sampled_from([2**33, 2**62])
SPECS = st.one_of(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["recommender", "retrieval", "ranking"])},
        optional={"signature_name": st.sampled_from(SIGNATURES)},
    ),
    st.fixed_dictionaries(
        {"name": st.text(max_size=5) | st.sampled_from(["recommender", "é" * 9000])},
        optional={"version": st.sampled_from([{"value": n} for n in (1, 0, -1, 2**63 - 1)])},
    ),
    st.fixed_dictionaries({"name": st.just("ranking"), "version_label": st.text(max_size=5)}),
)


def proto(dtype, sizes, unknown, content, ints, longs, floats, texts):
    result = tensor_pb2.TensorProto(
        dtype=dtype.as_datatype_enum, tensor_content=content, int_val=ints, int64_val=longs,
        float_val=floats, string_val=texts,
    )  # fmt: skip
    for size in sizes:
        result.tensor_shape.dim.add(size=size)
    result.tensor_shape.unknown_rank = unknown
    return result


def some(values):
    return st.lists(values, max_size=3)


TENSORS = st.builds(
    proto, st.sampled_from(DTYPES), some(SIZES), st.sampled_from([False] * 9 + [True]),
    st.sampled_from([b"", b"", b"1234", b"12345678"]), some(st.integers(-(2**31), 2**31 - 1)),
    some(st.integers(-(2**63), 2**63 - 1)), some(st.floats(width=32)), some(st.binary(max_size=3)),
)  # fmt: skip
ALIASES = st.sampled_from([*INPUTS, "usr_id", "y" * 20_000]) | st.text(max_size=3)


@pytest.fixture(scope="module")
def predict(tmp_path_factory):
    with (
        run_server(push_servables(tmp_path_factory.mktemp("fuzzed"))) as server,
        grpc.insecure_channel(server.grpc_address) as channel,
    ):
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    spec=SPECS,
    inputs=st.dictionaries(ALIASES, TENSORS, max_size=3),
    outputs=some(st.sampled_from(["item_ids", "scores", "é"])),
)
def test_any_request(predict, spec, inputs, outputs):
    request = predict_pb2.PredictRequest(model_spec=spec, output_filter=outputs)
    for alias, tensor in inputs.items():
        request.inputs[alias].CopyFrom(tensor)
    try:
        predict(request, timeout=30)
    except grpc.RpcError as error:
        if error.code() not in FAULTS:
            raise
