"""Messages of TensorFlow Serving that tensorflow-serving-api omits, as published: the fields that
every release has.

Sources, both in github.com/tensorflow/serving:
tensorflow_serving/servables/tensorflow/session_bundle_config.proto (BatchingParameters),
tensorflow_serving/config/monitoring_config.proto.
"""

from typing import Any

from google.protobuf import descriptor_pb2, message_factory, wrappers_pb2

Field = descriptor_pb2.FieldDescriptorProto
INT64 = ".google.protobuf.Int64Value"
BATCHING = [
    ("max_batch_size", 1, INT64),
    ("batch_timeout_micros", 2, INT64),
    ("max_enqueued_batches", 3, INT64),
    ("num_batch_threads", 4, INT64),
    ("thread_pool_name", 5, ".google.protobuf.StringValue"),
    ("allowed_batch_sizes", 6, Field.TYPE_INT64),
    ("pad_variable_length_inputs", 7, Field.TYPE_BOOL),
]
PROMETHEUS = [("enable", 1, Field.TYPE_BOOL), ("path", 2, Field.TYPE_STRING)]
MONITORING = [("prometheus_config", 1, ".published.PrometheusConfig")]


def build_messages() -> dict[str, Any]:
    """Message classes by name."""
    file = descriptor_pb2.FileDescriptorProto(
        name="published.proto",
        package="published",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    for name, fields in (
        ("BatchingParameters", BATCHING),
        ("PrometheusConfig", PROMETHEUS),
        ("MonitoringConfig", MONITORING),
    ):
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            repeated = field == "allowed_batch_sizes"
            label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
            added = message.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = Field.TYPE_MESSAGE, kind
            else:
                added.type = kind
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    classes = message_factory.GetMessages([wrappers, file])
    return {name.removeprefix("published."): kind for name, kind in classes.items()}
