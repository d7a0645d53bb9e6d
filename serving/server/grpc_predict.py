"""gRPC PredictionService over the model store. Source of the contract: tensorflow-serving-api."""

import asyncio
import contextlib
import time
from typing import Any

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    model_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from schema.signatures import SERVING_DEFAULT
from serving.config import RequestLimits
from serving.graph.saved_models import Arrays
from serving.protocol.errors import (
    abort_call_on_error,
    abort_on_error,
    invalid_argument,
    translate_tensorflow_errors,
)
from serving.protocol.limits import DEFAULT_LIMITS, check_list_sizes, check_tensor_sizes
from serving.protocol.tensors import build_tensor, parse_tensor, read_tensor_header
from serving.server import unsupported
from serving.server.metrics import Metrics
from serving.server.predictor import Predictor
from serving.server.request_log import REQUEST_ID_HEADER
from serving.server.servable import Outputs, Servable
from serving.server.served_versions import ServedVersions

_SIGNATURE_DEF = "signature_def"
_LONG_BYTES = 64 * 1024


def run_predict(
    servable: Servable,
    request: predict_pb2.PredictRequest,
    limits: RequestLimits = DEFAULT_LIMITS,
) -> predict_pb2.PredictResponse:
    """Runs one signature of the servable; the model name of the request is ignored.

    Raises RequestError with TensorFlow Serving's code if the request is invalid.
    """
    name = request.model_spec.signature_name
    _check_request(servable, request, limits)
    call = servable.call(name, _parse_inputs(request), request.output_filter)
    check_list_sizes(limits, servable.signature_def(name), call.inputs, servable.items)
    return _build_response(servable, name, call.run(call.inputs))


def _check_request(
    servable: Servable, request: predict_pb2.PredictRequest, limits: RequestLimits
) -> None:
    """Checks the headers of the tensors before their values are parsed."""
    name = request.model_spec.signature_name
    signature = servable.signature_def(name)
    if len(request.inputs) > len(signature.inputs):
        servable.check_names(name, request.inputs)
    headers = {alias: read_tensor_header(alias, proto) for alias, proto in request.inputs.items()}
    check_tensor_sizes(limits, signature, headers)
    servable.check(name, headers)


def _parse_inputs(request: predict_pb2.PredictRequest) -> Arrays:
    with translate_tensorflow_errors():
        return {alias: parse_tensor(alias, proto) for alias, proto in request.inputs.items()}


def _build_response(
    servable: Servable, signature_name: str, outputs: Outputs
) -> predict_pb2.PredictResponse:
    """Builds the response, which names the version that was used."""
    response = predict_pb2.PredictResponse()
    response.model_spec.name = servable.name
    response.model_spec.version.value = servable.version
    response.model_spec.signature_name = signature_name or SERVING_DEFAULT
    for alias, array in outputs.items():
        response.outputs[alias].CopyFrom(build_tensor(alias, array))
    return response


def build_model_metadata(
    served: ServedVersions, request: get_model_metadata_pb2.GetModelMetadataRequest
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """Signatures of one model. Raises RequestError for an unknown model, version or field."""
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    if not request.metadata_field:
        raise invalid_argument("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != _SIGNATURE_DEF:
            raise invalid_argument(f"Metadata field {field} is not supported")
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    with served.using(request.model_spec) as servable:
        for name, signature_def in servable.signature_defs.items():
            signatures.signature_def[name].CopyFrom(signature_def)
        response.model_spec.name = servable.name
        response.model_spec.version.value = servable.version
    response.metadata[_SIGNATURE_DEF].Pack(signatures)
    return response


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the calls on tf.Example are rejected.

    For a server of grpc.aio: Predict runs on its event loop, the others in its threads.
    """

    def __init__(self, served: ServedVersions, metrics: Metrics, predictor: Predictor) -> None:
        self._served = served
        self._metrics = metrics
        self._predictor = predictor

    async def Predict(  # noqa: N802 - the name in the service definition
        self, request: predict_pb2.PredictRequest, context: Any
    ) -> predict_pb2.PredictResponse:
        """Runs one signature of one model."""
        async with abort_call_on_error(context):
            with self._counted(request.model_spec, "Predict"):
                if not request.HasField("model_spec"):
                    raise invalid_argument("Missing ModelSpec")
                with self._served.using(request.model_spec) as servable:
                    return await self._predicted(servable, request, context)

    async def _predicted(
        self, servable: Servable, request: predict_pb2.PredictRequest, context: Any
    ) -> predict_pb2.PredictResponse:
        signature_name = request.model_spec.signature_name
        _check_request(servable, request, self._predictor.limits)
        outputs = await self._predictor.answer(
            servable,
            signature_name,
            await self._read(request),
            request.output_filter,
            _compute_deadline(context),
            self._request_id(context),
        )
        return _build_response(servable, signature_name, outputs)

    async def _read(self, request: predict_pb2.PredictRequest) -> Arrays:
        """Parses large requests in a thread, so that they do not block the event loop."""
        if request.ByteSize() < _LONG_BYTES:
            return _parse_inputs(request)
        return await asyncio.get_running_loop().run_in_executor(None, _parse_inputs, request)

    def _request_id(self, context: Any) -> str | None:
        header = dict(context.invocation_metadata() or ()).get(REQUEST_ID_HEADER)
        request_id = self._predictor.request_id(None if header is None else str(header))
        if request_id is not None:
            context.set_trailing_metadata(((REQUEST_ID_HEADER, request_id),))
        return request_id

    def GetModelMetadata(  # noqa: N802
        self,
        request: get_model_metadata_pb2.GetModelMetadataRequest,
        context: grpc.ServicerContext,
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Signatures of one model."""
        with abort_on_error(context):
            return build_model_metadata(self._served, request)

    def Classify(  # noqa: N802
        self, request: classification_pb2.ClassificationRequest, context: grpc.ServicerContext
    ) -> None:
        """Rejects the call, see `server.unsupported`."""
        with abort_on_error(context), self._counted(request.model_spec, "Classify"):
            if not request.HasField("model_spec"):
                raise invalid_argument("Missing ModelSpec")
            unsupported.refuse_classify(self._served, request.model_spec)

    def Regress(  # noqa: N802
        self, request: regression_pb2.RegressionRequest, context: grpc.ServicerContext
    ) -> None:
        """Rejects the call, see `server.unsupported`."""
        with abort_on_error(context), self._counted(request.model_spec, "Regress"):
            if not request.HasField("model_spec"):
                raise invalid_argument("Missing ModelSpec")
            unsupported.refuse_regress(self._served, request.model_spec)

    def MultiInference(  # noqa: N802
        self, request: inference_pb2.MultiInferenceRequest, context: grpc.ServicerContext
    ) -> None:
        """Rejects the call, see `server.unsupported`."""
        with abort_on_error(context):
            unsupported.refuse_multi_inference(self._served, request)

    def _counted(
        self, spec: model_pb2.ModelSpec, api: str
    ) -> contextlib.AbstractContextManager[None]:
        return self._metrics.request(self._served.get_serving_name(spec.name), api, "GRPC")


def _compute_deadline(context: Any) -> float:
    """Deadline of the call in seconds of `time.monotonic`."""
    remaining = context.time_remaining()
    return float("inf") if remaining is None else time.monotonic() + remaining
