"""gRPC ModelService and the standard health service over the model store.

The health service reports each model that has ever served by its name, and the server as a whole as
"", which serves while any model does, like the two names of TensorFlow Serving.
Sources of the contracts: tensorflow-serving-api and grpc.health.v1.
"""

import asyncio
from collections.abc import Mapping

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
)

from serving.protocol.errors import RequestError, abort_on_error, invalid_argument, not_found
from serving.server.model_config import parse_model_config
from serving.server.model_store import ModelStore
from serving.server.served_versions import ServedVersions

HEALTH_SERVICE = health.SERVICE_NAME
_BY_TENSORFLOW_SERVING = ("ModelService", "PredictionService")
_STATUS = health_pb2.HealthCheckResponse


def build_model_status(
    served: ServedVersions, request: get_model_status_pb2.GetModelStatusRequest
) -> get_model_status_pb2.GetModelStatusResponse:
    """State of one version, or of all that the server has tried to load, newest first.

    Raises RequestError: INVALID_ARGUMENT without a model spec, NOT_FOUND for an unknown model or
    version.
    """
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
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


def reload_config(
    store: ModelStore, request: model_management_pb2.ReloadConfigRequest
) -> model_management_pb2.ReloadConfigResponse:
    """Replaces the served models by those of the request's configuration; returns when they serve.

    Raises the errors of `parse_model_config` and `ModelStore.apply`, and UNAVAILABLE if a base path
    cannot be read; it is then retried at the next poll.
    """
    try:
        store.apply(parse_model_config(request.config))
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
        with abort_on_error(context):
            return build_model_status(self._store.served, request)

    def HandleReloadConfigRequest(  # noqa: N802
        self, request: model_management_pb2.ReloadConfigRequest, context: grpc.ServicerContext
    ) -> model_management_pb2.ReloadConfigResponse:
        """Replaces the configuration of models; `metric_names` is ignored."""
        with abort_on_error(context):
            return reload_config(self._store, request)


class HealthService:
    """Status of the models for Check and Watch."""

    def __init__(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server that has not started; call it on its event loop."""
        self._loop = asyncio.get_running_loop()
        self._servicer = health.aio.HealthServicer()
        self._models: set[str] = set()
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    def update(self, available: Mapping[str, int]) -> None:
        """Sets the models that serve now: version by model. Blocks until it is done; call it from
        any thread but that of the event loop.
        """
        asyncio.run_coroutine_threadsafe(self._update(available), self._loop).result()

    async def end(self) -> None:
        """Reports from now on that nothing serves; later updates are ignored."""
        await self._servicer.enter_graceful_shutdown()

    async def _update(self, available: Mapping[str, int]) -> None:
        self._models |= set(available)
        for service in ("", *_BY_TENSORFLOW_SERVING):
            await self._set(service, bool(available))
        for model in self._models:
            await self._set(model, model in available)

    async def _set(self, service: str, serves: bool) -> None:
        await self._servicer.set(service, _STATUS.SERVING if serves else _STATUS.NOT_SERVING)
