"""TensorFlow Serving's configuration files, which are text protos.

Messages that no package provides are declared here as published in github.com/tensorflow/serving.
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
"""Name, number and type: a type of `Field`, the name of a message, or a list of one type."""


def read(path: pathlib.Path, message: Any) -> Any:
    """Parses a text proto into `message`; raises UsageError if it cannot be read or parsed."""
    try:
        return text_format.Parse(path.read_text("utf-8"), message)
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise UsageError(
            f"expected a text proto of {message.DESCRIPTOR.full_name} in {path}, received "
            f"{error}; fix the file"
        ) from error


def declare_messages(file_name: str, messages: Mapping[str, Fields]) -> dict[str, Any]:
    """Message classes of one published file, by name."""
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
    pool = (
        descriptor_pool.DescriptorPool()
    )  # not the default pool: a later API package may add the file there
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    factory: Any = message_factory.MessageFactory(pool)  # the type stubs are for a later protobuf
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
