"""gRPC's standard health service over the served versions.

Services: the name of each model that ever served, and "" for the server as a whole, which is well
while any model serves; the two names that TensorFlow Serving has stand for the whole as well.
Source of the contract: grpc.health.v1.
"""

import threading
from collections.abc import Mapping

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

NAME = health.SERVICE_NAME
_BY_TENSORFLOW_SERVING = ("ModelService", "PredictionService")
_STATUS = health_pb2.HealthCheckResponse


class Health:
    """What Check and Watch answer."""

    def __init__(self, server: grpc.Server) -> None:
        """Adds the service to a server that has not started."""
        self._servicer = health.HealthServicer()
        self._lock = threading.Lock()
        self._models: set[str] = set()
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    def update(self, available: Mapping[str, int]) -> None:
        """Tells what serves now: version by model."""
        with self._lock:
            self._models |= set(available)
            for service in ("", *_BY_TENSORFLOW_SERVING):
                self._set(service, bool(available))
            for model in self._models:
                self._set(model, model in available)

    def end(self) -> None:
        """Nothing serves any more, whatever is told later."""
        self._servicer.enter_graceful_shutdown()

    def _set(self, service: str, serves: bool) -> None:
        self._servicer.set(service, _STATUS.SERVING if serves else _STATUS.NOT_SERVING)
