"""gRPC PredictionService, called through the stock stubs."""

from typing import Any

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)

TWO_ROWS = {
    "user_id": tf.constant(["ann", "bob"]),
    "x": tf.constant([[1.0, 2.0], [3.5, 0.5]]),
    "k": tf.constant([10, 100], tf.int64),
}


def build_request(model: Any = "greeter", outputs: Any = (), **inputs):
    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name = model
    for alias, tensor in inputs.items():
        request.inputs[alias].CopyFrom(tf.make_tensor_proto(tensor))
    return request


def get_error(call, request):
    with pytest.raises(grpc.RpcError) as error:
        call(request, timeout=10)
    return error.value.code().name, str(error.value.details())


def test_predict_answers_typed_fields_and_names_the_version(predictions):
    answer = predictions.Predict(build_request(**TWO_ROWS), timeout=10)
    assert set(answer.outputs) == {"total", "greeting", "k"}
    # (1 + 2) * 10 * version 1, (3.5 + 0.5) * 100 * version 1
    assert list(answer.outputs["total"].float_val) == [30.0, 400.0]
    assert list(answer.outputs["greeting"].string_val) == [b"v1:ann", b"v1:bob"]
    assert list(answer.outputs["k"].int64_val) == [10, 100]
    assert answer.outputs["total"].tensor_shape.dim[0].size == 2
    spec = answer.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("greeter", 1, "serving_default")


def test_predict_reads_tensor_content_and_typed_fields_equally(predictions):
    request = build_request(**TWO_ROWS)
    request.inputs["x"].ClearField("tensor_content")
    request.inputs["x"].float_val.extend([1.0, 2.0, 3.5, 0.5])
    answer = predictions.Predict(request, timeout=10)
    assert list(answer.outputs["total"].float_val) == [30.0, 400.0]


def test_predict_keeps_arbitrary_bytes(predictions):
    raw = bytes(range(256))
    answer = predictions.Predict(build_request("echo", raw=tf.constant([raw, b""])), timeout=10)
    assert list(answer.outputs["raw_bytes"].string_val) == [raw, b""]


def test_predict_of_no_rows_is_empty(predictions):
    none = {alias: tensor[:0] for alias, tensor in TWO_ROWS.items()}
    answer = predictions.Predict(build_request(**none), timeout=10)
    assert tf.make_ndarray(answer.outputs["total"]).shape == (0,)


def test_output_filter_selects_the_named_outputs(predictions):
    answer = predictions.Predict(build_request(outputs=["total"], **TWO_ROWS), timeout=10)
    assert set(answer.outputs) == {"total"}


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (
            ["none"],
            "output tensor alias not found in signature: none "
            "Outputs expected to be in the set {greeting,k,total}.",
        ),
        (["k", "k"], "duplicate output tensor alias: k"),
    ],
)
def test_output_filter_that_does_not_fit(predictions, outputs, message):
    request = build_request(outputs=outputs, **TWO_ROWS)
    assert get_error(predictions.Predict, request) == ("INVALID_ARGUMENT", message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": tf.constant([[1, 2]])}, "input x expects type float32 but int32 is provided"),
        (
            {"x": tf.constant([[1.0, 2.0, 3.0]])},
            "input x expects shape (None, 2) but (1, 3) is provided",
        ),
        ({"k": tf.constant(1, tf.int64)}, "input k expects shape (None,) but () is provided"),
        (
            {"more": tf.constant([1])},
            "input size does not match signature: 4!=3 len({k,more,user_id,x}) != "
            "len({k,user_id,x}). Sent extra: {more}. Missing but required: {}. "
            "more is not an input. Inputs are: k, user_id, x",
        ),
    ],
)
def test_inputs_that_do_not_fit(predictions, change, message):
    request = build_request(**{**TWO_ROWS, **change})
    assert get_error(predictions.Predict, request) == ("INVALID_ARGUMENT", message)


def test_a_missing_input_is_named(predictions):
    request = build_request(user_id=TWO_ROWS["user_id"], k=TWO_ROWS["k"])
    code, message = get_error(predictions.Predict, request)
    assert code == "INVALID_ARGUMENT"
    assert message.endswith("Sent extra: {}. Missing but required: {x}.")


def test_a_misspelt_input_is_named(predictions):
    request = build_request(users=TWO_ROWS["user_id"], x=TWO_ROWS["x"], k=TWO_ROWS["k"])
    assert get_error(predictions.Predict, request) == (
        "INVALID_ARGUMENT",
        "Signature input alias: user_id(feed name: serving_default_user_id:0) not found in request "
        "and no default value provided. Inputs expected to be in the request {k,users,x}, or "
        "default input alias set: . users is not an input, did you mean user_id? Inputs are: k, "
        "user_id, x",
    )


def test_an_invalid_tensor(predictions):
    request = build_request(**TWO_ROWS)
    request.inputs["x"].tensor_content = b"abc"  # not a multiple of four bytes
    message = "tensor parsing error: x"
    assert get_error(predictions.Predict, request) == ("INVALID_ARGUMENT", message)
    request.inputs["x"].dtype = 0
    assert get_error(predictions.Predict, request) == ("INVALID_ARGUMENT", message)


def test_values_that_an_op_refuses(predictions):
    request = build_request(**{**TWO_ROWS, "k": tf.constant([1, -1], tf.int64)})
    code, message = get_error(predictions.Predict, request)
    assert code == "INVALID_ARGUMENT"
    assert "k must not be negative" in message


@pytest.mark.parametrize(
    ("name", "version", "message"),
    [
        ("nobody", None, "Servable not found for request: Latest(nobody)"),
        ("greeter", 9, "Servable not found for request: Specific(greeter, 9)"),
        ("nobody", 9, "Servable not found for request: Specific(nobody, 9)"),
    ],
)
def test_unknown_model_or_version(predictions, name, version, message):
    request = build_request(name, **TWO_ROWS)
    if version is not None:
        request.model_spec.version.value = version
    assert get_error(predictions.Predict, request) == ("NOT_FOUND", message)


def test_unknown_signature(predictions):
    request = build_request(**TWO_ROWS)
    request.model_spec.signature_name = "other"
    assert get_error(predictions.Predict, request) == (
        "FAILED_PRECONDITION",
        'Serving signature key "other" not found.',
    )


def test_specs_that_name_no_model(predictions):
    nothing = predict_pb2.PredictRequest()
    assert get_error(predictions.Predict, nothing) == ("INVALID_ARGUMENT", "Missing ModelSpec")
    assert get_error(predictions.Predict, build_request("")) == (
        "INVALID_ARGUMENT",
        "ModelSpec has no name specified.",
    )
    labelled = build_request(**TWO_ROWS)
    labelled.model_spec.version_label = "stable"
    assert get_error(predictions.Predict, labelled) == (
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: stable",
    )


def test_metadata_is_the_signature(predictions):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "greeter"
    answer = predictions.GetModelMetadata(request, timeout=10)
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("greeter", 1)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    signature = signatures.signature_def["serving_default"]
    assert {
        alias: (tf.dtypes.as_dtype(info.dtype).name, [dim.size for dim in info.tensor_shape.dim])
        for alias, info in signature.inputs.items()
    } == {"user_id": ("string", [-1]), "x": ("float32", [-1, 2]), "k": ("int64", [-1])}
    assert set(signature.outputs) == {"total", "greeting", "k"}
    assert signature.method_name == "tensorflow/serving/predict"


def test_metadata_refusals(predictions):
    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.model_spec.name = "greeter"
    assert get_error(predictions.GetModelMetadata, request) == (
        "INVALID_ARGUMENT",
        "GetModelMetadataRequest must specify at least one metadata_field",
    )
    request.metadata_field.append("weights")
    assert get_error(predictions.GetModelMetadata, request) == (
        "INVALID_ARGUMENT",
        "Metadata field weights is not supported",
    )


def build_example_request(kind, model, signature_name=""):
    request = kind()
    request.model_spec.name = model
    request.model_spec.signature_name = signature_name
    return request


CLASSIFY = classification_pb2.ClassificationRequest
REGRESS = regression_pb2.RegressionRequest


@pytest.mark.parametrize(
    ("method", "example_request", "code", "message"),
    [
        ("Classify", CLASSIFY(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        ("Regress", REGRESS(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        ("Classify", build_example_request(CLASSIFY, "nobody"), "NOT_FOUND", "Latest(nobody)"),
        (
            "Classify",
            build_example_request(CLASSIFY, "greeter", "other"),
            "INVALID_ARGUMENT",
            "No signature was found with the name: other",
        ),
        (
            "Classify",
            build_example_request(CLASSIFY, "greeter"),
            "INVALID_ARGUMENT",
            "Expected one input Tensor.",
        ),
        (
            "Regress",
            build_example_request(REGRESS, "greeter"),
            "INVALID_ARGUMENT",
            "Expected one input Tensor.",
        ),
        (
            "Classify",
            build_example_request(CLASSIFY, "echo"),
            "INVALID_ARGUMENT",
            "No classification inputs found in SignatureDef: inputs",
        ),
        (
            "Regress",
            build_example_request(REGRESS, "echo"),
            "INVALID_ARGUMENT",
            "No regression inputs found in SignatureDef: inputs",
        ),
    ],
)
def test_calls_on_examples_are_refused(predictions, method, example_request, code, message):
    received, details = get_error(getattr(predictions, method), example_request)
    assert received == code
    assert message in details


def build_tasks(*tasks):
    request = inference_pb2.MultiInferenceRequest()
    for model, method_name in tasks:
        task = request.tasks.add(method_name=f"tensorflow/serving/{method_name}")
        task.model_spec.name = model
    return request


@pytest.mark.parametrize(
    ("multi_request", "code", "message"),
    [
        (build_tasks(), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        (build_tasks(("greeter", "classify")), "INVALID_ARGUMENT", "Expected one input Tensor."),
        (build_tasks(("echo", "regress")), "INVALID_ARGUMENT", "No regression inputs found"),
        (
            build_tasks(("echo", "predict")),
            "UNIMPLEMENTED",
            "Unsupported signature method_name: tensorflow/serving/predict",
        ),
    ],
)
def test_multi_inference_is_refused(predictions, multi_request, code, message):
    received, details = get_error(predictions.MultiInference, multi_request)
    assert received == code
    assert message in details
