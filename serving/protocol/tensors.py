"""Converts TensorProto to arrays and back, without Python code per element or row."""

import math
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from serving.protocol.errors import RequestError, invalid_argument
from serving.protocol.limits import TensorHeader

# The typed field of TensorProto for each type. Clients in other languages read these instead of
# `tensor_content`, and TensorFlow Serving fills them.
_FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int8: "int_val",
    tf.int16: "int_val",
    tf.int32: "int_val",
    tf.uint8: "int_val",
    tf.int64: "int64_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}
_COMMON = {
    dtype.as_datatype_enum: _FIELDS[dtype] for dtype in (tf.string, tf.int64, tf.int32, tf.float32)
}
_DTYPES = {
    dtype.as_datatype_enum: dtype
    for dtype in (*_FIELDS, tf.float16, tf.bfloat16, tf.complex64, tf.complex128, tf.uint16)
}
"""Types that an array can have: no resources, variants or references."""


_MAX_DIMENSIONS = 32
"""NumPy's limit."""


def read_tensor_header(alias: str, proto: tensor_pb2.TensorProto) -> TensorHeader:
    """Reads the declared type and shape of `proto`, and the size of its texts, but no values.

    Raises RequestError INVALID_ARGUMENT, which names the input `alias`, if type or shape are
    missing or not possible for an array.
    """
    dims, dtype = proto.tensor_shape.dim, _DTYPES.get(proto.dtype)
    if dtype is None or proto.tensor_shape.unknown_rank or len(dims) > _MAX_DIMENSIONS:
        raise _parsing_error(alias)
    shape = tuple([dim.size for dim in dims])
    if min(shape, default=0) < 0:
        raise _parsing_error(alias)
    return TensorHeader(dtype, shape, _text_bytes(proto, shape) if dtype == tf.string else 0)


def _text_bytes(proto: tensor_pb2.TensorProto, shape: tuple[int, ...]) -> int:
    """Upper bound: the last text is repeated to fill the shape, and may be very long."""
    values = proto.string_val
    missing = max(0, math.prod(shape) - len(values))
    return proto.ByteSize() + (missing * len(values[-1]) if missing and values else 0)


def parse_tensor(alias: str, proto: tensor_pb2.TensorProto) -> np.ndarray:
    """Parses `proto` in any of TensorProto's encodings; strings become bytes objects.

    The last value is repeated to fill the declared shape, so check the size of the tensor's header
    first: a small message may otherwise exhaust the memory. Raises RequestError INVALID_ARGUMENT,
    which names the input `alias`, if there are no valid values.
    """
    header = read_tensor_header(alias, proto)
    values = _parse_typed_values(proto, header.shape)
    if values is not None:
        return values
    if proto.tensor_content and header.dtype != tf.string:
        raise _parsing_error(alias)  # TensorFlow rejects it too, but logs the whole content
    try:
        tensor = tf.io.parse_tensor(proto.SerializeToString(), header.dtype)
    except (TypeError, tf.errors.InvalidArgumentError) as error:
        raise _parsing_error(alias) from error
    return np.asarray(tensor.numpy(), header.dtype.as_numpy_dtype)


def _parsing_error(alias: str) -> RequestError:
    return invalid_argument(f"tensor parsing error: {alias}")


def _parse_typed_values(proto: tensor_pb2.TensorProto, shape: tuple[int, ...]) -> np.ndarray | None:
    """Parses the most common types if all values are present, in a tenth of the time of a
    TensorFlow op; returns None otherwise.
    """
    count = math.prod(shape)
    content = proto.tensor_content
    dtype = np.dtype(_DTYPES[proto.dtype].as_numpy_dtype)
    if content and not dtype.hasobject and len(content) == count * dtype.itemsize:
        return np.frombuffer(content, dtype).reshape(shape)
    if content or proto.dtype not in _COMMON:
        return None
    values: Any = getattr(proto, _COMMON[proto.dtype])
    if len(values) != count:
        return None
    return np.array(values, dtype).reshape(shape)


def build_tensor(alias: str, array: np.ndarray) -> tensor_pb2.TensorProto:
    """Builds a TensorProto with the elements in the typed field, as TensorFlow Serving does;
    objects are bytes.

    Raises RequestError UNIMPLEMENTED, which names the output `alias`, for an unsupported type.
    """
    dtype = tf.dtypes.as_dtype(array.dtype)
    field = _FIELDS.get(dtype)
    if field is None:
        raise RequestError(
            grpc.StatusCode.UNIMPLEMENTED,
            f"output {alias} has type {dtype.name}, expected one of "
            f"{', '.join(sorted(dtype.name for dtype in _FIELDS))}",
        )
    proto = tensor_pb2.TensorProto(
        dtype=dtype.as_datatype_enum, tensor_shape=tf.TensorShape(array.shape).as_proto()
    )
    getattr(proto, field).extend(array.ravel().tolist())
    return proto
