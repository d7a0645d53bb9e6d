"""What a queue of requests measures of itself, for Prometheus.

TensorFlow Serving has `queuing_latency`, whose name and buckets are kept (batching/
batching_session.cc); it counts no rows and shows no queue, so those names are Tandem's.
"""

from collections.abc import Callable, Iterator

from prometheus_client import Gauge, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

_QUEUING_BUCKETS = [100 * 1.2**power for power in range(52)]  # microseconds, to about a second
_ROWS_BUCKETS = [2**power for power in range(11)]
_THREADS = "batch_threads"  # TensorFlow Serving's own name of them, where none is configured


class BatchingMetrics(Collector):
    """Safe from any number of threads."""

    def __init__(self, waiting: Callable[[], float]) -> None:
        """`waiting` gives the rows that wait now."""
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
        """One request has waited so long for its turn."""
        self._queuing.labels(_THREADS).observe(1e6 * seconds)

    def ran(self, rows: int) -> None:
        """One call of so many rows."""
        self._rows.observe(rows)

    def collect(self) -> Iterator[Metric]:
        """All of them, as they are now."""
        for metric in (self._queuing, self._rows, self._waiting):
            yield from metric.collect()
