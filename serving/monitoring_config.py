"""TensorFlow Serving's monitoring config, a text proto: whether and where metrics are.

tensorflow-serving-api does not bring the message: it is declared here as
tensorflow_serving/config/monitoring_config.proto publishes it.
"""

import pathlib

from schema.errors import UsageError
from serving.protocol import text_protos
from serving.protocol.text_protos import PACKAGE, Field

DEFAULT_PATH = "/monitoring/prometheus/metrics"
_FILE = "tensorflow_serving/config/monitoring_config.proto"
_MESSAGES = {
    "PrometheusConfig": [("enable", 1, Field.TYPE_BOOL), ("path", 2, Field.TYPE_STRING)],
    "MonitoringConfig": [("prometheus_config", 1, f".{PACKAGE}.PrometheusConfig")],
}


def read(path: pathlib.Path) -> str | None:
    """The path that metrics are at, None where they are not to be had.

    Raises UsageError where the file cannot be read, is no such proto, or its path begins without
    "/".
    """
    config = text_protos.declared(_FILE, _MESSAGES)["MonitoringConfig"]()
    prometheus = text_protos.read(path, config).prometheus_config
    metrics_path = prometheus.path or DEFAULT_PATH
    if not metrics_path.startswith("/"):
        raise UsageError(
            f"expected a path of metrics in {path} that begins with /, received {metrics_path!r}; "
            f"write it like {DEFAULT_PATH}"
        )
    return metrics_path if prometheus.enable else None
