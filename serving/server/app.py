"""The embedded server: TensorFlow Serving's gRPC and REST over the pushed models of one folder."""

import asyncio
import contextlib
import dataclasses
import pathlib
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
from serving import event_loop, health, rest_server, version_watch
from serving.grace import Grace
from serving.health import Health
from serving.protocol.message_parsing import RequestParsing
from serving.server import listeners, model_config, rest_api
from serving.server.batching import BatchQueue
from serving.server.grpc_model import ModelService
from serving.server.grpc_predict import PredictionService
from serving.server.model_config import WatchedModel
from serving.server.model_store import ModelStore
from serving.server.options import DEFAULTS, ServerOptions
from serving.server.predictor import Predictions
from serving.versions import local as local_versions

_REFUSING_SECONDS = 0.3
_THREADS = 8
"""For what is not on the event loop: ModelService, and metadata."""
_MOST_CALLS = 1024
_WAITING = 4
"""The largest requests that may wait."""
_SERVICES = (
    prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"].full_name,
    model_service_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name,
    health.NAME,
    reflection.SERVICE_NAME,
)


@dataclasses.dataclass(frozen=True)
class RunningServer:
    """Where a server listens, and what it began with."""

    grpc_address: str
    """host:port."""
    rest_url: str
    """http://host:port."""
    models: dict[str, int]
    """Highest serving version by model, at the start."""


@contextlib.contextmanager
def running_server(
    serving_dir: pathlib.Path, options: ServerOptions = DEFAULTS
) -> Iterator[RunningServer]:
    """Serves `<serving_dir>/<model>/<version>/` until the block ends.

    Inside the block every model is loaded and both ports answer. What is pushed later is taken up
    within a second or so, see ModelStore. At the end calls under way get `options.grace_s`.

    Raises NoRunError where nothing was ever pushed, UsageError where a port cannot be had, and
    TandemError where no model loads.
    """
    if not local_versions.models(serving_dir):
        raise NoRunError(
            f"expected pushed models in {serving_dir}, found none{_passed_over(serving_dir)}; run "
            "`tandem run` with the same --root first"
        )
    store = ModelStore(lambda: model_config.watched_below(serving_dir), options.limits)
    with _running(store, options) as running:
        yield running


def _passed_over(serving_dir: pathlib.Path) -> str:
    """The first of what looks like a version and is none."""
    for model in model_config.watched_below(serving_dir):
        for name, why in local_versions.passed_over(model.base_path).items():
            return f" but {model.name}/{name}, which is passed over: {why}"
    return ""


@contextlib.contextmanager
def running_configured_server(
    watched: Sequence[WatchedModel], options: ServerOptions = DEFAULTS
) -> Iterator[RunningServer]:
    """The same for the models of a configuration, see model_config."""
    store = ModelStore(lambda: watched, options.limits)
    with _running(store, options) as running:
        yield running


@contextlib.contextmanager
def _running(store: ModelStore, options: ServerOptions) -> Iterator[RunningServer]:
    with contextlib.ExitStack() as stack:
        queue = BatchQueue(options.batching, _WAITING * options.limits.max_tensor_bytes)
        stack.callback(queue.close)
        store.metrics.add(queue.metrics)
        if options.request_log is not None:
            store.metrics.add(options.request_log)
            stack.callback(options.request_log.close)
        loop = stack.enter_context(event_loop.running("ports"))
        ports = event_loop.wait_for(loop, _bound(store, queue, options))
        # Last in, first out: the ports close before what is behind them goes.
        grace = Grace(options.grace_s)
        stack.callback(lambda: event_loop.wait_for(loop, ports.grpc_server.stop(grace.left())))
        bound = stack.enter_context(listeners.bound_rest(options.host, options.rest_port))
        _first_load(store)
        store.served.tell(ports.well.update)
        stack.enter_context(version_watch.following(store))
        app = rest_api.application(store.served, store.metrics, ports.predictions, options)
        tls = options.security.tls
        context = None if tls is None else tls.context()
        stack.enter_context(rest_server.answering(loop, app, bound, context))
        event_loop.wait_for(loop, ports.grpc_server.start())
        stack.callback(lambda: event_loop.wait_for(loop, _drain(ports, grace)))
        rest_address = listeners.address(options.host, bound.getsockname()[1])
        yield RunningServer(
            grpc_address=listeners.address(options.host, ports.grpc_port),
            rest_url=f"{'http' if tls is None else 'https'}://{rest_address}",
            models=store.served.available(),
        )


@dataclasses.dataclass(frozen=True)
class _Ports:
    """What lives on the event loop."""

    predictions: Predictions
    grpc_server: grpc.aio.Server
    grpc_port: int
    well: Health


async def _bound(store: ModelStore, queue: BatchQueue, options: ServerOptions) -> _Ports:
    predictions = Predictions(queue, store.metrics, options.request_log, options.limits)
    server = _grpc_server(store, predictions, options)
    well = Health(server)
    port = listeners.bound_grpc(server, options.host, options.grpc_port, options.security.tls)
    return _Ports(predictions, server, port, well)


async def _drain(ports: _Ports, grace: Grace) -> None:
    """Before a port closes: closing cuts what has just arrived, so callers are told to go first."""
    grace.begin()
    await ports.well.end()
    await ports.predictions.drain(grace.left())
    await asyncio.sleep(_REFUSING_SECONDS)


def _grpc_server(
    store: ModelStore, predictions: Predictions, options: ServerOptions
) -> grpc.aio.Server:
    server = grpc.aio.server(
        futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="grpc"),
        interceptors=[*options.security.interceptors(), RequestParsing(options.limits)],
        options=[
            ("grpc.so_reuseport", 0),  # a second server on the port fails, and shares no calls
            ("grpc.max_receive_message_length", options.max_message_bytes),
            ("grpc.max_send_message_length", -1),
        ],
        maximum_concurrent_rpcs=_MOST_CALLS,
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(store.served, store.metrics, predictions), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(store), server)
    reflection.enable_server_reflection(_SERVICES, server)
    return server


def _first_load(store: ModelStore) -> None:
    store.start()
    if not store.served.available():
        raise TandemError(
            "expected at least one pushed model that loads, received none (the log says why of "
            "each); run `tandem run` again"
        )
