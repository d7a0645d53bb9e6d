"""TensorFlow Serving's monitoring config, a text proto: whether and where metrics are.

tensorflow-serving-api does not bring the message: it is declared here as
tensorflow_serving/config/monitoring_config.proto publishes it.
"""

import pathlib
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from schema.errors import UsageError

DEFAULT_PATH = "/monitoring/prometheus/metrics"
_PACKAGE = "tensorflow.serving"
_Field = descriptor_pb2.FieldDescriptorProto


def read(path: pathlib.Path) -> str | None:
    """The path that metrics are at, None where they are not to be had.

    Raises UsageError where the file cannot be read, is no such proto, or its path begins without
    "/".
    """
    config = _message_class()()
    try:
        text_format.Parse(path.read_text("utf-8"), config)
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise UsageError(
            f"expected a text proto of tensorflow.serving.MonitoringConfig in {path}, received "
            f"{error}; mend the file"
        ) from error
    prometheus = config.prometheus_config
    metrics_path = prometheus.path or DEFAULT_PATH
    if not metrics_path.startswith("/"):
        raise UsageError(
            f"expected a path of metrics in {path} that begins with /, received {metrics_path!r}; "
            f"write it like {DEFAULT_PATH}"
        )
    return metrics_path if prometheus.enable else None


def _message_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="tensorflow_serving/config/monitoring_config.proto", package=_PACKAGE, syntax="proto3"
    )
    prometheus = file.message_type.add(name="PrometheusConfig")
    _add(prometheus, "enable", 1, _Field.TYPE_BOOL)
    _add(prometheus, "path", 2, _Field.TYPE_STRING)
    monitoring = file.message_type.add(name="MonitoringConfig")
    inner = _add(monitoring, "prometheus_config", 1, _Field.TYPE_MESSAGE)
    inner.type_name = f".{_PACKAGE}.PrometheusConfig"
    pool = descriptor_pool.DescriptorPool()  # its own: a later API may bring the file to the common
    pool.Add(file)
    found = pool.FindMessageTypeByName(f"{_PACKAGE}.MonitoringConfig")
    factory: Any = message_factory.MessageFactory(pool)  # types are of a later protobuf
    return factory.GetPrototype(found)


def _add(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: Any) -> Any:
    return message.field.add(name=name, number=number, type=kind, label=_Field.LABEL_OPTIONAL)
