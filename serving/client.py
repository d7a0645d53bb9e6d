"""A small client of TensorFlow Serving's gRPC API, on the stock stubs."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from types import TracebackType

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from schema.errors import TandemError, UsageError
from schema.signatures import SERVING_DEFAULT

_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@dataclasses.dataclass(frozen=True)
class VersionStatus:
    """What a server says of one version of a model."""

    version: int
    state: str
    """START, LOADING, AVAILABLE, UNLOADING or END."""
    error_message: str
    """Why it does not load; "" where nothing is wrong."""


class Client:
    """Asks one server; every refusal is a TandemError in one sentence,
    a server that cannot be reached a UsageError.
    """

    def __init__(self, address: str, timeout_s: float = 5.0) -> None:
        """`address` is host:port of the gRPC side; `timeout_s` bounds each call."""
        self._address = address
        self._timeout_s = timeout_s
        self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def predict(
        self,
        model: str,
        inputs: Mapping[str, np.ndarray],
        version: int | None = None,
        signature_name: str | None = None,
    ) -> dict[str, np.ndarray]:
        """Named outputs of one call; strings come back as bytes, in arrays of objects.

        Strings go as arrays of str, bytes or objects of these; numbers in the signature's own type.
        Latest version and `serving_default` where nothing else is asked for.
        """
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        request.model_spec.signature_name = signature_name or ""
        if version is not None:
            request.model_spec.version.value = version
        for alias, array in inputs.items():
            request.inputs[alias].CopyFrom(tf.make_tensor_proto(array))
        with self._plain_errors(f"predict of {model}"):
            response = self._predictions.Predict(request, timeout=self._timeout_s)
        return {alias: tf.make_ndarray(proto) for alias, proto in response.outputs.items()}

    def status(self, model: str) -> list[VersionStatus]:
        """Every version of `model` that the server tried, newest first."""
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = model
        with self._plain_errors(f"status of {model}"):
            response = self._models.GetModelStatus(request, timeout=self._timeout_s)
        name_of = get_model_status_pb2.ModelVersionStatus.State.Name
        return [
            VersionStatus(entry.version, name_of(entry.state), entry.status.error_message)
            for entry in response.model_version_status
        ]

    def inputs(self, model: str) -> dict[str, tuple[str, tuple[int, ...]]]:
        """TensorFlow's type name and the shape (-1: any) of each input of `serving_default`."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = model
        with self._plain_errors(f"signatures of {model}"):
            response = self._predictions.GetModelMetadata(request, timeout=self._timeout_s)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        declared = signatures.signature_def[SERVING_DEFAULT].inputs
        return {
            alias: (
                tf.dtypes.as_dtype(info.dtype).name,
                tuple(dim.size for dim in info.tensor_shape.dim),
            )
            for alias, info in sorted(declared.items())
        }

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _plain_errors(self, call: str) -> Iterator[None]:
        try:
            yield
        except grpc.RpcError as error:
            unreachable = error.code() == grpc.StatusCode.UNAVAILABLE
            kind = UsageError if unreachable else TandemError
            raise kind(self._sentence(call, error.code(), error.details())) from error

    def _sentence(self, call: str, code: grpc.StatusCode, details: str | None) -> str:
        if code == grpc.StatusCode.UNAVAILABLE:
            return (
                f"expected a server at {self._address}, received no answer ({details}); "
                "start one with `tandem serve --root RUN`"
            )
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return (
                f"expected {call} from {self._address} within {self._timeout_s:g} s, received "
                "nothing; ask again, or allow more time"
            )
        return f"expected {call} from {self._address}, received {code.name}: {details}"
