"""gRPC PredictionService over the model store. Source of the contract: tensorflow-serving-api."""

import contextlib
import functools
import time
from collections.abc import Callable, Mapping, Sequence

import grpc
import tensorflow as tf
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
from serving import example_signatures, tensors
from serving.batching import Caller
from serving.metrics import Metrics
from serving.predictions import Predictions
from serving.request_error import aborting, invalid
from serving.request_log import HEADER
from serving.servable import Outputs, Servable
from serving.served_versions import ServedVersions

_SIGNATURE_DEF = "signature_def"


Answer = Callable[[Servable, str, Mapping[str, tf.Tensor], Sequence[str]], Outputs]
"""Servable, name of the signature, inputs and output filter -> outputs."""


def predict(
    served: ServedVersions, request: predict_pb2.PredictRequest, answer: Answer
) -> predict_pb2.PredictResponse:
    """Runs one signature of one model; the answer names the version that gave it.

    Raises RequestError with TensorFlow Serving's code where the request cannot be answered.
    """
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    with served.using(request.model_spec) as servable:
        return predict_with(servable, request, answer)


def predict_with(
    servable: Servable, request: predict_pb2.PredictRequest, answer: Answer = Servable.predict
) -> predict_pb2.PredictResponse:
    """The same of a servable at hand, whatever model the request names."""
    signature_name = request.model_spec.signature_name
    servable.signature_def(signature_name)
    inputs = {alias: tensors.from_proto(alias, proto) for alias, proto in request.inputs.items()}
    outputs = answer(servable, signature_name, inputs, request.output_filter)
    response = predict_pb2.PredictResponse()
    response.model_spec.name = servable.name
    response.model_spec.version.value = servable.version
    response.model_spec.signature_name = signature_name or SERVING_DEFAULT
    for alias, array in outputs.items():
        response.outputs[alias].CopyFrom(tensors.to_proto(alias, array))
    return response


def metadata(
    served: ServedVersions, request: get_model_metadata_pb2.GetModelMetadataRequest
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """Signatures of one model. Raises RequestError as `predict` does, and for unknown fields."""
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    if not request.metadata_field:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != _SIGNATURE_DEF:
            raise invalid(f"Metadata field {field} is not supported")
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
    """Predict and GetModelMetadata; the calls on tf.Example are refused."""

    def __init__(self, served: ServedVersions, metrics: Metrics, predictions: Predictions) -> None:
        self._served = served
        self._metrics = metrics
        self._predictions = predictions

    def Predict(  # noqa: N802 - the name in the service definition
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Runs one signature of one model."""
        with aborting(context), self._counted(request.model_spec, "Predict"):
            return predict(self._served, request, self._answer(context))

    def GetModelMetadata(  # noqa: N802
        self,
        request: get_model_metadata_pb2.GetModelMetadataRequest,
        context: grpc.ServicerContext,
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Signatures of one model."""
        with aborting(context):
            return metadata(self._served, request)

    def Classify(  # noqa: N802
        self, request: classification_pb2.ClassificationRequest, context: grpc.ServicerContext
    ) -> None:
        """Refuses, see example_signatures."""
        with aborting(context), self._counted(request.model_spec, "Classify"):
            if not request.HasField("model_spec"):
                raise invalid("Missing ModelSpec")
            example_signatures.refuse_classify(self._served, request.model_spec)

    def Regress(  # noqa: N802
        self, request: regression_pb2.RegressionRequest, context: grpc.ServicerContext
    ) -> None:
        """Refuses, see example_signatures."""
        with aborting(context), self._counted(request.model_spec, "Regress"):
            if not request.HasField("model_spec"):
                raise invalid("Missing ModelSpec")
            example_signatures.refuse_regress(self._served, request.model_spec)

    def MultiInference(  # noqa: N802
        self, request: inference_pb2.MultiInferenceRequest, context: grpc.ServicerContext
    ) -> None:
        """Refuses, see example_signatures."""
        with aborting(context):
            example_signatures.refuse_multi_inference(self._served, request)

    def _answer(self, context: grpc.ServicerContext) -> Answer:
        left = context.time_remaining()
        deadline = float("inf") if left is None else time.monotonic() + left
        given = dict(context.invocation_metadata() or ()).get(HEADER)
        request = self._predictions.request_id(None if given is None else str(given))
        if request is not None:
            context.set_trailing_metadata(((HEADER, request),))
        return functools.partial(
            self._predictions.answer, caller=Caller(deadline, context.is_active), request=request
        )

    def _counted(
        self, spec: model_pb2.ModelSpec, api: str
    ) -> contextlib.AbstractContextManager[None]:
        return self._metrics.request(self._served.known(spec.name), api, "GRPC")
