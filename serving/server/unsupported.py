"""Rejects Classify, Regress and MultiInference like TensorFlow Serving does for other signatures.

A signature that fits is rejected as unimplemented: the models of this project have none.

Source of the checks, their order, codes and messages: servables/tensorflow/classifier.cc,
regressor.cc and multi_inference.cc in TensorFlow Serving, without the check of method names (its
default).
"""

from typing import NoReturn

import grpc
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import inference_pb2, model_pb2

from schema.signatures import SERVING_DEFAULT
from serving.protocol.errors import RequestError, invalid_argument
from serving.server.servable import Servable
from serving.server.served_versions import ServedVersions

_CLASSIFY = "tensorflow/serving/classify"
_REGRESS = "tensorflow/serving/regress"


def refuse_classify(served: ServedVersions, spec: model_pb2.ModelSpec) -> NoReturn:
    """Raises RequestError: NOT_FOUND for a model that does not serve, INVALID_ARGUMENT for a
    signature that does not fit, else UNIMPLEMENTED.
    """
    with served.using(spec) as servable:
        _check_classification(_signature(servable, spec, "No signature was found with the name"))
    raise _unimplemented("Classify")


def refuse_regress(served: ServedVersions, spec: model_pb2.ModelSpec) -> NoReturn:
    """Raises RequestError as `refuse_classify` does."""
    with served.using(spec) as servable:
        _check_regression(_signature(servable, spec, "No signature was found with the name"))
    raise _unimplemented("Regress")


def refuse_multi_inference(
    served: ServedVersions, request: inference_pb2.MultiInferenceRequest
) -> NoReturn:
    """Raises RequestError as `refuse_classify` does, and INVALID_ARGUMENT unless all tasks have the
    same model and different signatures.
    """
    first = request.tasks[0].model_spec if request.tasks else model_pb2.ModelSpec()
    with served.using(first) as servable:
        seen: set[str] = set()
        for task in request.tasks:
            _check_task(servable, task, first.name, seen)
    raise _unimplemented("MultiInference")


def _check_task(
    servable: Servable, task: inference_pb2.InferenceTask, model: str, seen: set[str]
) -> None:
    spec = task.model_spec
    if not spec.name:
        raise invalid_argument("Found ModelSpec with an empty model name.")
    if spec.name != model:
        raise invalid_argument(
            "All ModelSpecs in a MultiInferenceRequest must access the same model name."
        )
    name = spec.signature_name or SERVING_DEFAULT
    if name in seen:
        raise invalid_argument(f"Duplicate evaluation of signature: {name}")
    seen.add(name)
    signature = _signature(servable, spec, "Requested signature not found in model graph")
    if task.method_name == _CLASSIFY:
        _check_classification(signature)
    elif task.method_name == _REGRESS:
        _check_regression(signature)
    else:
        raise RequestError(
            grpc.StatusCode.UNIMPLEMENTED, f"Unsupported signature method_name: {task.method_name}"
        )


def _signature(
    servable: Servable, spec: model_pb2.ModelSpec, missing: str
) -> meta_graph_pb2.SignatureDef:
    name = spec.signature_name or SERVING_DEFAULT
    if name not in servable.signature_defs:
        raise invalid_argument(f"{missing}: {name}")
    return servable.signature_defs[name]


def _check_classification(signature: meta_graph_pb2.SignatureDef) -> None:
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")
    if len(signature.outputs) not in (1, 2):
        raise invalid_argument(
            f"Expected one or two output Tensors, found {len(signature.outputs)}"
        )
    if "inputs" not in signature.inputs:
        raise invalid_argument(f"No classification inputs found in SignatureDef: {signature}")
    if not {"classes", "scores"} & set(signature.outputs):
        raise invalid_argument(
            'Expected classification signature outputs to contain at least one of "classes" or '
            f'"scores". Signature was: {signature}'
        )


def _check_regression(signature: meta_graph_pb2.SignatureDef) -> None:
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")
    if len(signature.outputs) != 1:
        raise invalid_argument("Expected one output Tensor.")
    if "inputs" not in signature.inputs:
        raise invalid_argument(f"No regression inputs found in SignatureDef: {signature}")
    if "outputs" not in signature.outputs:
        raise invalid_argument(f"No regression outputs found in SignatureDef: {signature}")


def _unimplemented(method: str) -> RequestError:
    return RequestError(
        grpc.StatusCode.UNIMPLEMENTED, f"{method} is not implemented by this server: call Predict"
    )
