"""gRPC ModelService over the model store. Source of the contract: tensorflow-serving-api."""

import grpc
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
)

from serving.protocol.errors import RequestError, aborting, invalid, not_found
from serving.server import model_config
from serving.server.model_store import ModelStore
from serving.server.served_versions import ServedVersions


def status(
    served: ServedVersions, request: get_model_status_pb2.GetModelStatusRequest
) -> get_model_status_pb2.GetModelStatusResponse:
    """State of one version, or of all that were tried, newest first.

    Raises RequestError: INVALID_ARGUMENT without a model spec, NOT_FOUND for an unknown model or
    version.
    """
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    spec = request.model_spec
    states = served.states(spec.name)
    if spec.HasField("version"):
        states = {of: state for of, state in states.items() if of == spec.version.value}
        if not states:
            raise not_found(f"Could not find version {spec.version.value} of model {spec.name}")
    if not states:
        raise not_found(f"Could not find any versions of model {spec.name}")
    response = get_model_status_pb2.GetModelStatusResponse()
    for version, state in states.items():
        entry = response.model_version_status.add(version=version, state=state.state)
        entry.status.error_code = state.code.value[0]
        entry.status.error_message = state.message
    return response


def reload(
    store: ModelStore, request: model_management_pb2.ReloadConfigRequest
) -> model_management_pb2.ReloadConfigResponse:
    """Serves what the request's configuration asks for instead; answers when it does.

    Raises RequestError as `model_config.watched` and `ModelStore.apply` do, and UNAVAILABLE where
    a base path cannot be read; then it is tried again with the next look at the folders.
    """
    try:
        store.apply(model_config.watched(request.config))
    except OSError as error:
        raise RequestError(
            grpc.StatusCode.UNAVAILABLE, f"Could not read a base path: {error}"
        ) from error
    return model_management_pb2.ReloadConfigResponse()


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus and HandleReloadConfigRequest."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store

    def GetModelStatus(  # noqa: N802 - the name in the service definition
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """State of a model's versions."""
        with aborting(context):
            return status(self._store.served, request)

    def HandleReloadConfigRequest(  # noqa: N802
        self, request: model_management_pb2.ReloadConfigRequest, context: grpc.ServicerContext
    ) -> model_management_pb2.ReloadConfigResponse:
        """Replaces the configuration of models; `metric_names` are not answered."""
        with aborting(context):
            return reload(self._store, request)
