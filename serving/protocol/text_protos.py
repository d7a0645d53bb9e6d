"""TensorFlow Serving's configuration files: text protos, some of whose messages no package brings.

Those are declared here as they are published in github.com/tensorflow/serving.
"""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)

from schema.errors import UsageError

Field = descriptor_pb2.FieldDescriptorProto
INT64 = ".google.protobuf.Int64Value"
STRING = ".google.protobuf.StringValue"
PACKAGE = "tensorflow.serving"
_OPTIONAL, _REPEATED = Field.LABEL_OPTIONAL, Field.LABEL_REPEATED

Fields = Sequence[tuple[str, int, Any]]
"""Name, number, and a type: of `Field`, the name of a message, or a list of one type."""


def read(path: pathlib.Path, message: Any) -> Any:
    """`message` with what the file says; UsageError where it cannot be read or is no such proto."""
    try:
        return text_format.Parse(path.read_text("utf-8"), message)
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise UsageError(
            f"expected a text proto of {message.DESCRIPTOR.full_name} in {path}, received "
            f"{error}; fix the file"
        ) from error


def declare_messages(file_name: str, messages: Mapping[str, Fields]) -> dict[str, Any]:
    """Classes of the messages of one published file, by name."""
    file = descriptor_pb2.FileDescriptorProto(
        name=file_name,
        package=PACKAGE,
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            _add(message, field, number, kind)
    pool = descriptor_pool.DescriptorPool()  # its own: a later API may bring the file to the common
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    factory: Any = message_factory.MessageFactory(pool)  # types are of a later protobuf
    return {
        name: factory.GetPrototype(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in messages
    }


def _add(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: Any) -> None:
    repeated = isinstance(kind, list)
    kind = kind[0] if repeated else kind
    added = message.field.add(name=name, number=number, label=_REPEATED if repeated else _OPTIONAL)
    if isinstance(kind, str):
        added.type, added.type_name = Field.TYPE_MESSAGE, kind
    else:
        added.type = kind
