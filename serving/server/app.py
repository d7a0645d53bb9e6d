"""The embedded server: TensorFlow Serving's gRPC and REST APIs for the models of one folder."""

import asyncio
import contextlib
import dataclasses
import pathlib
import time
from collections.abc import Iterator, Sequence
from concurrent import futures

import grpc
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import (
    model_service_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2,
    prediction_service_pb2_grpc,
)

from schema.errors import NoRunError, TandemError
from serving.protocol.message_parsing import ParsingInterceptor
from serving.server.batching import BatchQueue
from serving.server.grpc_model import HEALTH_SERVICE, HealthService, ModelService
from serving.server.grpc_predict import PredictionService
from serving.server.listeners import (
    bind_grpc,
    bind_rest,
    format_address,
    run_event_loop,
    run_on_loop,
    serve_rest,
)
from serving.server.model_config import WatchedModel, discover_models
from serving.server.model_store import ModelStore, follow_versions
from serving.server.options import DEFAULT_OPTIONS, ServerOptions
from serving.server.predictor import Predictor
from serving.server.rest_api import build_rest_application
from serving.versions.local import LocalVersionStore, explain_skipped

_REFUSING_SECONDS = 0.3
_THREADS = 8
"""For calls that do not run on the event loop: ModelService, and metadata."""
_MAX_CALLS = 1024
_MAX_WAITING_REQUESTS = 4
"""Number of requests of the maximum size that may wait."""
_SERVICES = (
    prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"].full_name,
    model_service_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name,
    HEALTH_SERVICE,
    reflection.SERVICE_NAME,
)
_MIN_GRACE_SECONDS = 0.3


@dataclasses.dataclass(frozen=True)
class RunningServer:
    """Addresses of a server, and the models that it served at the start."""

    grpc_address: str
    """host:port."""
    rest_url: str
    """http://host:port."""
    models: dict[str, int]
    """Highest serving version by model, at the start."""


@contextlib.contextmanager
def run_server(
    serving_dir: pathlib.Path, options: ServerOptions = DEFAULT_OPTIONS
) -> Iterator[RunningServer]:
    """Serves `<serving_dir>/<model>/<version>/` until the block ends.

    Inside the block every model is loaded and both ports accept requests. Later pushes are loaded
    within about a second, see ModelStore. At the end, calls in progress get `options.grace_s`
    seconds to finish.

    Raises NoRunError if no model was pushed, UsageError if a port cannot be bound, and TandemError
    if no model loads.
    """
    if not LocalVersionStore(serving_dir).list_models():
        raise NoRunError(
            f"expected pushed models in {serving_dir}, found none{_describe_skipped(serving_dir)}; "
            "run `tandem run` with the same --root first"
        )
    store = ModelStore(lambda: discover_models(serving_dir), options.limits)
    with _serve_store(store, options) as running:
        yield running


def _describe_skipped(serving_dir: pathlib.Path) -> str:
    """Describes the first entry that looks like a version but is not one."""
    for model in discover_models(serving_dir):
        for name, why in explain_skipped(model.base_path).items():
            return f" but {model.name}/{name}, which is skipped: {why}"
    return ""


@contextlib.contextmanager
def run_configured_server(
    watched: Sequence[WatchedModel], options: ServerOptions = DEFAULT_OPTIONS
) -> Iterator[RunningServer]:
    """As `run_server`, for the models of a configuration (`server.model_config`)."""
    store = ModelStore(lambda: watched, options.limits)
    with _serve_store(store, options) as running:
        yield running


@contextlib.contextmanager
def _serve_store(store: ModelStore, options: ServerOptions) -> Iterator[RunningServer]:
    with contextlib.ExitStack() as stack:
        queue = BatchQueue(
            options.batching, _MAX_WAITING_REQUESTS * options.limits.max_tensor_bytes
        )
        stack.callback(queue.close)
        store.metrics.add(queue.metrics)
        if options.request_log is not None:
            store.metrics.add(options.request_log)
            stack.callback(options.request_log.close)
        loop = stack.enter_context(run_event_loop("ports"))
        ports = run_on_loop(loop, _open_ports(store, queue, options))
        # Callbacks run last in, first out: the ports close before the parts that they use.
        grace = GracePeriod(options.grace_s)
        stack.callback(lambda: run_on_loop(loop, ports.grpc_server.stop(grace.left())))
        bound = stack.enter_context(bind_rest(options.host, options.rest_port))
        _load_models(store)
        store.served.subscribe(ports.health.update)
        stack.enter_context(follow_versions(store))
        app = build_rest_application(store.served, store.metrics, ports.predictor, options)
        tls = options.security.tls
        context = None if tls is None else tls.context()
        stack.enter_context(serve_rest(loop, app, bound, context))
        run_on_loop(loop, ports.grpc_server.start())
        stack.callback(lambda: run_on_loop(loop, _drain(ports, grace)))
        rest_address = format_address(options.host, bound.getsockname()[1])
        yield RunningServer(
            grpc_address=format_address(options.host, ports.grpc_port),
            rest_url=f"{'http' if tls is None else 'https'}://{rest_address}",
            models=store.served.available(),
        )


@dataclasses.dataclass(frozen=True)
class _Ports:
    """Objects that belong to the event loop."""

    predictor: Predictor
    grpc_server: grpc.aio.Server
    grpc_port: int
    health: HealthService


async def _open_ports(store: ModelStore, queue: BatchQueue, options: ServerOptions) -> _Ports:
    predictor = Predictor(queue, store.metrics, options.request_log, options.limits)
    server = _build_grpc_server(store, predictor, options)
    health = HealthService(server)
    port = bind_grpc(server, options.host, options.grpc_port, options.security.tls)
    return _Ports(predictor, server, port, health)


class GracePeriod:
    """Time that calls in progress have when the server stops. All shutdown steps share it: the time
    that one step waits is not available to the next.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None

    def begin(self) -> None:
        """Starts the grace period."""
        self._end = time.monotonic() + self._seconds

    def left(self) -> float:
        """Remaining seconds, at least the time to write a response that is ready."""
        if self._end is None:
            return self._seconds
        return max(_MIN_GRACE_SECONDS, self._end - time.monotonic())


async def _drain(ports: _Ports, grace: GracePeriod) -> None:
    """Rejects new calls before a port closes, which would abort calls that have just arrived."""
    grace.begin()
    await ports.health.end()
    await ports.predictor.drain(grace.left())
    await asyncio.sleep(_REFUSING_SECONDS)


def _build_grpc_server(
    store: ModelStore, predictor: Predictor, options: ServerOptions
) -> grpc.aio.Server:
    server = grpc.aio.server(
        futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="grpc"),
        interceptors=[*options.security.interceptors(), ParsingInterceptor(options.limits)],
        options=[
            ("grpc.so_reuseport", 0),  # a second server on the port fails instead of sharing calls
            ("grpc.max_receive_message_length", options.max_message_bytes),
            ("grpc.max_send_message_length", -1),
        ],
        maximum_concurrent_rpcs=_MAX_CALLS,
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(store.served, store.metrics, predictor), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(store), server)
    reflection.enable_server_reflection(_SERVICES, server)
    return server


def _load_models(store: ModelStore) -> None:
    store.start()
    if not store.served.available():
        raise TandemError(
            "expected at least one pushed model that loads, received none (the log has the "
            "reason for each); run `tandem run` again"
        )
