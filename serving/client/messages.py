"""Builds requests, parses responses and converts gRPC errors for a client."""

import dataclasses
from collections.abc import Mapping, Sequence

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

from schema import signatures
from schema.errors import TandemError, UsageError
from schema.signatures import SERVING_DEFAULT
from serving.protocol.errors import RequestError

DeclaredInputs = dict[str, tuple[str, tuple[int, ...]]]
"""TensorFlow type name and shape (-1: any size) by input name."""


@dataclasses.dataclass(frozen=True)
class VersionStatus:
    """State of one version of a model, as the server reports it."""

    version: int
    state: str
    """START, LOADING, AVAILABLE, UNLOADING or END."""
    error_message: str
    """Why the version does not load; "" without an error."""


def build_predict_request(
    model: str,
    inputs: Mapping[str, np.ndarray],
    version: int | None,
    label: str | None,
    signature_name: str | None,
) -> predict_pb2.PredictRequest:
    """Builds the request of one Predict call.

    Args:
        model: Name of the model.
        inputs: Arrays by input name.
        version: Version to call; None for the latest.
        label: Label of the version to call, instead of `version`.
        signature_name: None for `serving_default`.

    Raises:
        UsageError: Both version and label are given.
    """
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


def parse_outputs(response: predict_pb2.PredictResponse) -> dict[str, np.ndarray]:
    """Arrays by output name; strings are bytes in arrays of objects."""
    return {alias: tf.make_ndarray(proto) for alias, proto in response.outputs.items()}


def build_status_request(model: str) -> get_model_status_pb2.GetModelStatusRequest:
    """Requests the state of all versions of a model."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = model
    return request


def parse_statuses(response: get_model_status_pb2.GetModelStatusResponse) -> list[VersionStatus]:
    """State of each version, in the order of the response."""
    name_of = get_model_status_pb2.ModelVersionStatus.State.Name
    return [
        VersionStatus(entry.version, name_of(entry.state), entry.status.error_message)
        for entry in response.model_version_status
    ]


def build_metadata_request(model: str) -> get_model_metadata_pb2.GetModelMetadataRequest:
    """Requests the signatures of a model's latest version."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = model
    return request


def parse_declared_inputs(
    response: get_model_metadata_pb2.GetModelMetadataResponse,
) -> DeclaredInputs:
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


def build_call_error(
    call: str, address: str, timeout_s: float, error: grpc.RpcError
) -> TandemError:
    """Builds UsageError if no server answers at `address`, else RequestError with the server's
    code.

    Args:
        call: Description of the call, for the message.
        address: host:port of the server.
        timeout_s: Limit of the call in seconds, for the message.
        error: Error of the last attempt.
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
            "retry, or allow more time"
        )
    else:
        message = f"expected {call} from {address}, received {code.name}: {details}"
    return RequestError(code, message)


@dataclasses.dataclass(frozen=True)
class ListingQuery:
    """Query to `retrieval` or `recommender` for one user."""

    user_id: str
    history: Sequence[tuple[str, int]] = ()
    """(item id, seconds since epoch, UTC), oldest first."""
    now: int = 0
    """Seconds since epoch, UTC; 0 leaves the time to the server's clock."""
    k: int = 10
    """Length of the list."""
    excluded: Sequence[str] = ()
    """Items that the list must not have, in addition to those of the history."""
    features: Mapping[str, object] = dataclasses.field(default_factory=dict)
    """Values by input name; None, like an absent name, is left out of the request."""
    allowed: Sequence[str] = ()
    """Categories to which the items must belong; empty allows all items."""
    diversity: float | None = None
    """Diversity of the list, 0 to 1; None leaves it to the model's default."""


def build_listing_request(declared: DeclaredInputs, query: ListingQuery) -> dict[str, np.ndarray]:
    """Builds the inputs of one query to `retrieval` or `recommender`, with batch size 1. Only
    inputs in `declared`, the result of `Client.inputs`, are included.

    Raises UsageError if the query has categories or a diversity and the model has no input for
    them.
    """
    if query.diversity is not None and signatures.DIVERSITY not in declared:
        raise UsageError(
            "expected a model with the input diversity, received a diversity for one without it; "
            "leave it out, query recommender, or run again if an older release pushed it"
        )
    if query.allowed and signatures.ALLOWED_CATEGORIES not in declared:
        raise UsageError(
            "expected a model whose requests may be filtered, received categories for one without "
            f"{signatures.ALLOWED_CATEGORIES}; leave them out, or declare data.items.filter and "
            "run again"
        )
    ids = [item.encode() for item, _ in query.history]
    request = {
        signatures.USER_ID: np.array([query.user_id.encode()], object),
        signatures.HISTORY_ITEM_IDS: np.array([ids], object),
        signatures.HISTORY_TIMESTAMPS: np.array([[time for _, time in query.history]], np.int64),
        signatures.NOW: np.array([query.now], np.int64),
        signatures.EXCLUDED_ITEM_IDS: np.array(
            [[item.encode() for item in query.excluded]], object
        ),
        signatures.K: np.array([query.k], np.int32),
    }
    if query.allowed:
        request[signatures.ALLOWED_CATEGORIES] = np.array(
            [[c.encode() for c in query.allowed]], object
        )
    if query.diversity is not None:
        request[signatures.DIVERSITY] = np.array([query.diversity], np.float32)
    for name, value in query.features.items():
        if name in declared and value is not None:
            request[name] = _to_feature(value, declared[name][0])
    return {name: value for name, value in request.items() if name in declared}


def _to_feature(value: object, dtype: str) -> np.ndarray:
    """[1] for a scalar, [1, n] for a list."""
    return np.asarray([value], object if dtype == "string" else dtype)
