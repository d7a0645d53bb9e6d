"""gRPC's standard health service over the served versions.

Services: the name of each model that ever served, and "" for the server as a whole, which is well
while any model serves; the two names that TensorFlow Serving has stand for the whole as well.
Source of the contract: grpc.health.v1.
"""

import asyncio
from collections.abc import Mapping

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

NAME = health.SERVICE_NAME
_BY_TENSORFLOW_SERVING = ("ModelService", "PredictionService")
_STATUS = health_pb2.HealthCheckResponse


class Health:
    """What Check and Watch answer."""

    def __init__(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server that has not started. On its event loop."""
        self._loop = asyncio.get_running_loop()
        self._servicer = health.aio.HealthServicer()
        self._models: set[str] = set()
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    def update(self, available: Mapping[str, int]) -> None:
        """Tells what serves now: version by model. From any thread but the loop's; returns when it
        is told.
        """
        asyncio.run_coroutine_threadsafe(self._update(available), self._loop).result()

    async def end(self) -> None:
        """Nothing serves any more, whatever is told later."""
        await self._servicer.enter_graceful_shutdown()

    async def _update(self, available: Mapping[str, int]) -> None:
        self._models |= set(available)
        for service in ("", *_BY_TENSORFLOW_SERVING):
            await self._set(service, bool(available))
        for model in self._models:
            await self._set(model, model in available)

    async def _set(self, service: str, serves: bool) -> None:
        await self._servicer.set(service, _STATUS.SERVING if serves else _STATUS.NOT_SERVING)
