"""The embedded server: TensorFlow Serving's gRPC and REST over the pushed models of one folder."""

import asyncio
import contextlib
import dataclasses
import logging
import pathlib
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent import futures

import grpc
from aiohttp import web
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import (
    model_service_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2,
    prediction_service_pb2_grpc,
)

from schema.errors import NoRunError, TandemError, UsageError
from serving import health, model_config, monitoring_config, pushed_versions, rest
from serving.health import Health
from serving.model_config import WatchedModel
from serving.model_service import ModelService
from serving.model_store import ModelStore
from serving.prediction_service import PredictionService

_log = logging.getLogger(__name__)
_POLL_SECONDS = 1.0
_GRACE_SECONDS = 5.0
_SERVICES = (
    prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"].full_name,
    model_service_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name,
    health.NAME,
    reflection.SERVICE_NAME,
)
_GRPC_OPTIONS = [
    ("grpc.so_reuseport", 0),  # a second server on the port fails instead of sharing its calls
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
]


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
    serving_dir: pathlib.Path,
    host: str = "127.0.0.1",
    grpc_port: int = 0,
    rest_port: int = 0,
    metrics_path: str | None = monitoring_config.DEFAULT_PATH,
) -> Iterator[RunningServer]:
    """Serves `<serving_dir>/<model>/<version>/` until the block ends; port 0 takes a free one.

    REST has Prometheus' metrics at `metrics_path`, None for nowhere.
    Inside the block every model is loaded and both ports answer. What is pushed later is taken up
    within a second or so, see ModelStore. At the end calls under way get five seconds.

    Raises NoRunError where nothing was ever pushed, UsageError where a port cannot be had, and
    TandemError where no model loads.
    """
    if not pushed_versions.models(serving_dir):
        raise NoRunError(
            f"expected pushed models in {serving_dir}, found none; run `tandem run` with the same "
            "--root first"
        )
    store = ModelStore(lambda: model_config.watched_below(serving_dir))
    with _running(store, host, grpc_port, rest_port, metrics_path) as running:
        yield running


@contextlib.contextmanager
def running_configured_server(
    watched: Sequence[WatchedModel],
    host: str = "127.0.0.1",
    grpc_port: int = 0,
    rest_port: int = 0,
    metrics_path: str | None = monitoring_config.DEFAULT_PATH,
) -> Iterator[RunningServer]:
    """The same for the models of a configuration, see model_config."""
    store = ModelStore(lambda: watched)
    with _running(store, host, grpc_port, rest_port, metrics_path) as running:
        yield running


@contextlib.contextmanager
def _running(
    store: ModelStore, host: str, grpc_port: int, rest_port: int, metrics_path: str | None
) -> Iterator[RunningServer]:
    with contextlib.ExitStack() as stack:
        workers = stack.enter_context(futures.ThreadPoolExecutor(thread_name_prefix="rest"))
        grpc_server = _grpc_server(store)
        well = Health(grpc_server)
        grpc_port = _bound_grpc(grpc_server, host, grpc_port)
        # Last in, first out: the ports close before the workers behind them go.
        stack.callback(lambda: grpc_server.stop(_GRACE_SECONDS).wait())
        stack.callback(well.end)
        rest_socket = stack.enter_context(_bound_rest(host, rest_port))
        _first_load(store)
        store.served.tell(well.update)
        stack.enter_context(_following(store))
        stack.enter_context(_serving_rest(store, rest_socket, workers, metrics_path))
        grpc_server.start()
        yield RunningServer(
            grpc_address=_address(host, grpc_port),
            rest_url=f"http://{_address(host, rest_socket.getsockname()[1])}",
            models=store.served.available(),
        )


def _grpc_server(store: ModelStore) -> grpc.Server:
    server = grpc.server(
        futures.ThreadPoolExecutor(thread_name_prefix="grpc"), options=_GRPC_OPTIONS
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(store.served, store.metrics), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(store), server)
    reflection.enable_server_reflection(_SERVICES, server)
    return server


def _bound_grpc(server: grpc.Server, host: str, port: int) -> int:
    try:
        return server.add_insecure_port(_address(host, port))
    except RuntimeError as error:
        raise _cannot_listen("gRPC", host, port, "--grpc-port") from error


def _bound_rest(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise _cannot_listen("REST", host, port, "--rest-port") from error


def _cannot_listen(what: str, host: str, port: int, option: str) -> UsageError:
    return UsageError(
        f"expected to listen for {what} on {_address(host, port)}, received a refusal: port {port} "
        f"is in use, or {host} is no address of this machine; stop what holds it, or give another "
        f"with {option} or --host"
    )


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _first_load(store: ModelStore) -> None:
    store.start()
    if not store.served.available():
        raise TandemError(
            "expected at least one pushed model that loads, received none (the log says why of "
            "each); run `tandem run` again"
        )


@contextlib.contextmanager
def _following(store: ModelStore) -> Iterator[None]:
    """Looks for pushed versions every second, in a thread of its own."""
    stopped = threading.Event()

    def follow() -> None:
        while not stopped.wait(_POLL_SECONDS):
            try:
                store.refresh()
            except OSError as error:  # a folder renamed or unreadable at this moment
                _log.warning("cannot look for new versions, trying again: %s", error)

    thread = threading.Thread(target=follow, name="follow-versions", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


@contextlib.contextmanager
def _serving_rest(
    store: ModelStore, bound: socket.socket, workers: futures.Executor, metrics_path: str | None
) -> Iterator[None]:
    """Runs the REST application on an event loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="rest-loop", daemon=True)
    thread.start()
    runner = web.AppRunner(
        rest.application(store.served, workers, store.metrics, metrics_path),
        access_log=None,
        shutdown_timeout=_GRACE_SECONDS,
    )

    async def start() -> None:
        await runner.setup()
        await web.SockSite(runner, bound).start()

    try:
        asyncio.run_coroutine_threadsafe(start(), loop).result()
        yield
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
