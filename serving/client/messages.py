"""TensorFlow Serving's messages as a client writes and reads them, and its errors as sentences."""

import dataclasses
from collections.abc import Mapping

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

from schema.errors import TandemError, UsageError
from schema.signatures import SERVING_DEFAULT
from serving.protocol.errors import RequestError

Declared = dict[str, tuple[str, tuple[int, ...]]]
"""TensorFlow's type name and the shape (-1: any) by input."""


@dataclasses.dataclass(frozen=True)
class VersionStatus:
    """What a server says of one version of a model."""

    version: int
    state: str
    """START, LOADING, AVAILABLE, UNLOADING or END."""
    error_message: str
    """Why it does not load; "" where nothing is wrong."""


def predict_request(
    model: str,
    inputs: Mapping[str, np.ndarray],
    version: int | None,
    label: str | None,
    signature_name: str | None,
) -> predict_pb2.PredictRequest:
    """Raises UsageError where a version and a label are both asked for: a call has one of them."""
    if version is not None and label is not None:
        raise UsageError(
            f"expected a version or a label of {model}, received version {version} and label "
            f"{label!r}; leave one out"
        )
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature_name or ""
    if version is not None:
        request.model_spec.version.value = version
    if label is not None:
        request.model_spec.version_label = label
    for alias, array in inputs.items():
        request.inputs[alias].CopyFrom(tf.make_tensor_proto(array))
    return request


def outputs(response: predict_pb2.PredictResponse) -> dict[str, np.ndarray]:
    """Arrays by name; strings as bytes, in arrays of objects."""
    return {alias: tf.make_ndarray(proto) for alias, proto in response.outputs.items()}


def status_request(model: str) -> get_model_status_pb2.GetModelStatusRequest:
    """Of all versions of a model."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = model
    return request


def statuses(response: get_model_status_pb2.GetModelStatusResponse) -> list[VersionStatus]:
    """In the server's order."""
    name_of = get_model_status_pb2.ModelVersionStatus.State.Name
    return [
        VersionStatus(entry.version, name_of(entry.state), entry.status.error_message)
        for entry in response.model_version_status
    ]


def metadata_request(model: str) -> get_model_metadata_pb2.GetModelMetadataRequest:
    """Of the signatures of a model's latest version."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = model
    return request


def declared_inputs(response: get_model_metadata_pb2.GetModelMetadataResponse) -> Declared:
    """Inputs of `serving_default`, in order of their names."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    return {
        alias: (
            tf.dtypes.as_dtype(info.dtype).name,
            tuple(dim.size for dim in info.tensor_shape.dim),
        )
        for alias, info in sorted(signatures.signature_def[SERVING_DEFAULT].inputs.items())
    }


def failure(call: str, address: str, timeout_s: float, error: grpc.RpcError) -> TandemError:
    """One sentence: UsageError where nobody answers at `address`, else RequestError with the
    server's code.
    """
    code, details = error.code(), error.details()
    if code == grpc.StatusCode.UNAVAILABLE:
        return UsageError(
            f"expected a server at {address}, received no answer ({details}); "
            "start one with `tandem serve --root RUN`"
        )
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        message = (
            f"expected {call} from {address} within {timeout_s:g} s, received nothing; "
            "ask again, or allow more time"
        )
    else:
        message = f"expected {call} from {address}, received {code.name}: {details}"
    return RequestError(code, message)
