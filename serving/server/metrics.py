"""Metrics of the server for Prometheus, with TensorFlow Serving's names.

Its names are converted to Prometheus names by replacing `/` with `:`. Times are in microseconds, in
buckets of 10 x 1.8^n; those of `queuing_latency` are from batching/batching_session.cc. Sources:
servables/tensorflow/util.cc, saved_model_warmup_util.cc and util/prometheus_exporter.cc in
TensorFlow Serving, and TensorFlow's cc/saved_model/loader.cc. TensorFlow Serving has no metrics of
rows and queue length: those names are Tandem's.

tensorflow-serving-api does not include the message of the monitoring config, so it is declared here
as published in tensorflow_serving/config/monitoring_config.proto.
"""

import asyncio
import contextlib
import pathlib
import threading
import time
from collections.abc import Callable, Iterator

import grpc
import prometheus_client
from prometheus_client import Gauge, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from schema.errors import UsageError
from serving.protocol import text_protos
from serving.protocol.errors import RequestError
from serving.protocol.text_protos import PACKAGE, Field

_ROWS_BUCKETS = [2**power for power in range(11)]
_BUCKETS = [10 * 1.8**power for power in range(33)]  # to about 25 minutes
_SERVING = ":tensorflow:serving"
_SAVED_MODEL = ":tensorflow:cc:saved_model"
_RUNTIME = "TF2"
DEFAULT_METRICS_PATH = "/monitoring/prometheus/metrics"
_MONITORING_FILE = "tensorflow_serving/config/monitoring_config.proto"
_MONITORING_MESSAGES = {
    "PrometheusConfig": [("enable", 1, Field.TYPE_BOOL), ("path", 2, Field.TYPE_STRING)],
    "MonitoringConfig": [("prometheus_config", 1, f".{PACKAGE}.PrometheusConfig")],
}
_QUEUING_BUCKETS = [100 * 1.2**power for power in range(52)]  # microseconds, to about a second
_THREADS = "batch_threads"  # TensorFlow Serving's default name


class Metrics:
    """Counters and latencies of one server; thread-safe."""

    def __init__(self) -> None:
        registry = prometheus_client.CollectorRegistry()
        self._registry = registry
        prometheus_client.ProcessCollector(registry=registry)
        self._requests = _Counter(
            f"{_SERVING}:request_count", "Requests by model and status.", ("model_name", "status")
        )
        self._loads = _Counter(
            f"{_SAVED_MODEL}:load_attempt_count", "SavedModels loaded.", ("model_path", "status")
        )
        self._load_time = _Counter(
            f"{_SAVED_MODEL}:load_latency", "Microseconds of loads.", ("model_path",)
        )
        self._warmups = _Counter(
            f"{_SERVING}:model_warmup_records_read", "Warmup records.", ("model_path", "status")
        )
        for counter in (self._requests, self._loads, self._load_time, self._warmups):
            registry.register(counter)
        self._latency = _build_histogram(
            registry, "request_latency", "a request", ["model_name", "API", "entrypoint"]
        )
        self._runtime = _build_histogram(
            registry, "runtime_latency", "TensorFlow's runtime", ["model_name", "API", "runtime"]
        )
        self._warmup_time = _build_histogram(
            registry, "model_warmup_latency", "a warmup", ["model_path", "status"]
        )

    def add(self, collector: Collector) -> None:
        """Adds the metrics of a collector to `page`."""
        self._registry.register(collector)

    def page(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return prometheus_client.generate_latest(self._registry)

    @contextlib.contextmanager
    def request(self, model: str, api: str, entrypoint: str) -> Iterator[None]:
        """Counts the request that the block handles by status, and times it if it succeeds.

        Args:
            model: Name of the model; "" for one that does not serve, so that requests cannot create
                an unlimited number of series.
            api: Name of the method.
            entrypoint: `GRPC` or `REST`.
        """
        begin = time.perf_counter()
        status = grpc.StatusCode.UNKNOWN  # the status of an unexpected exception in gRPC
        try:
            yield
            status = grpc.StatusCode.OK
            self._latency.labels(model, api, entrypoint).observe(_elapsed_us(begin))
        except RequestError as error:
            status = error.code
            raise
        except asyncio.CancelledError:  # the client has disconnected
            status = grpc.StatusCode.CANCELLED
            raise
        finally:
            self._requests.add(1, model, status.name)

    @contextlib.contextmanager
    def runtime(self, model: str) -> Iterator[None]:
        """Times the block, which runs a signature."""
        begin = time.perf_counter()
        yield
        self._runtime.labels(model, "Predict", _RUNTIME).observe(_elapsed_us(begin))

    @contextlib.contextmanager
    def load(self, folder: pathlib.Path) -> Iterator[None]:
        """Counts and times the block, which loads the SavedModel in `folder`."""
        begin = time.perf_counter()
        status = "fail"
        try:
            yield
            status = "success"
            self._load_time.add(_elapsed_us(begin), str(folder))
        finally:
            self._loads.add(1, str(folder), status)

    @contextlib.contextmanager
    def warmup(self, folder: pathlib.Path) -> Iterator[list[None]]:
        """Counts and times the warmup in the block, which appends to the list for each record."""
        begin = time.perf_counter()
        records: list[None] = []
        status = grpc.StatusCode.UNKNOWN
        try:
            yield records
            status = grpc.StatusCode.OK
        except RequestError as error:
            status = error.code
            raise
        finally:
            self._warmup_time.labels(str(folder), status.name).observe(_elapsed_us(begin))
            self._warmups.add(len(records), str(folder), status.name)


class _Counter(Collector):
    """A counter with exactly its name; the library would append `_total`.

    It is untyped, since the text format requires that suffix for counters.
    """

    def __init__(self, name: str, documentation: str, labels: tuple[str, ...]) -> None:
        self._named = (name, documentation)
        self._labels = labels
        self._lock = threading.Lock()
        self._values: dict[tuple[str, ...], float] = {}

    def add(self, amount: float, *labels: str) -> None:
        with self._lock:
            self._values[labels] = self._values.get(labels, 0.0) + amount

    def collect(self) -> Iterator[Metric]:
        metric = Metric(*self._named, typ="unknown")
        with self._lock:
            for label_values, value in self._values.items():
                labels = dict(zip(self._labels, label_values, strict=True))
                metric.add_sample(self._named[0], labels, value)
        yield metric


def _build_histogram(
    registry: prometheus_client.CollectorRegistry, name: str, of: str, labels: list[str]
) -> Histogram:
    documentation = f"Wall time of {of}, in microseconds."
    return Histogram(
        f"{_SERVING}:{name}", documentation, labels, registry=registry, buckets=_BUCKETS
    )


def _elapsed_us(begin: float) -> float:
    return (time.perf_counter() - begin) * 1e6


def read_metrics_path(path: pathlib.Path) -> str | None:
    """Reads the path of the metrics from a monitoring config, a text proto; None if disabled.

    Raises UsageError if the file cannot be read or parsed, or its path does not begin with "/".
    """
    config = text_protos.declare_messages(_MONITORING_FILE, _MONITORING_MESSAGES)[
        "MonitoringConfig"
    ]()
    prometheus = text_protos.read(path, config).prometheus_config
    metrics_path = prometheus.path or DEFAULT_METRICS_PATH
    if not metrics_path.startswith("/"):
        raise UsageError(
            f"expected a path of metrics in {path} that begins with /, received {metrics_path!r}; "
            f"write it like {DEFAULT_METRICS_PATH}"
        )
    return metrics_path if prometheus.enable else None


class BatchingMetrics(Collector):
    """Metrics of a queue of requests; thread-safe."""

    def __init__(self, waiting: Callable[[], float]) -> None:
        """`waiting` returns the number of waiting rows."""
        self._queuing = Histogram(
            ":tensorflow:serving:batching_session:queuing_latency",
            "Wall time spent in the queue, in microseconds.",
            ["thread_pool_name"],
            registry=None,
            buckets=_QUEUING_BUCKETS,
        )
        self._rows = Histogram(
            ":tandem:serving:batch_rows", "Rows of a call.", registry=None, buckets=_ROWS_BUCKETS
        )
        self._waiting = Gauge(":tandem:serving:waiting_rows", "Rows that wait.", registry=None)
        self._waiting.set_function(waiting)

    def queued(self, seconds: float) -> None:
        """Records the time that one request has waited."""
        self._queuing.labels(_THREADS).observe(1e6 * seconds)

    def ran(self, rows: int) -> None:
        """Records the number of rows of one call."""
        self._rows.observe(rows)

    def collect(self) -> Iterator[Metric]:
        """All metrics with their present values."""
        for metric in (self._queuing, self._rows, self._waiting):
            yield from metric.collect()
