"""TensorProto to array and back: no Python per element or per row."""

import math
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from serving.protocol.errors import RequestError, invalid_argument
from serving.protocol.limits import TensorHeader

# The typed field of TensorProto for each type. Clients in other languages read these and not
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
"""NumPy's own."""


def read_tensor_header(alias: str, proto: tensor_pb2.TensorProto) -> TensorHeader:
    """Type and shape that `proto` claims; of its values only the size of texts is looked at.

    Raises RequestError INVALID_ARGUMENT, naming the input `alias`, where it claims none, or one
    that no array can have.
    """
    dims, dtype = proto.tensor_shape.dim, _DTYPES.get(proto.dtype)
    if dtype is None or proto.tensor_shape.unknown_rank or len(dims) > _MAX_DIMENSIONS:
        raise _parsing_error(alias)
    shape = tuple([dim.size for dim in dims])
    if min(shape, default=0) < 0:
        raise _parsing_error(alias)
    return TensorHeader(dtype, shape, _text_bytes(proto, shape) if dtype == tf.string else 0)


def _text_bytes(proto: tensor_pb2.TensorProto, shape: tuple[int, ...]) -> int:
    """At the most: the last text is repeated, and may be as long as a message."""
    values = proto.string_val
    missing = max(0, math.prod(shape) - len(values))
    return proto.ByteSize() + (missing * len(values[-1]) if missing and values else 0)


def parse_tensor(alias: str, proto: tensor_pb2.TensorProto) -> np.ndarray:
    """What `proto` holds, in any of TensorProto's encodings; strings are bytes objects. Its last
    value is repeated up to the shape it claims: whoever has not checked `header` may run out of
    memory.

    Raises RequestError INVALID_ARGUMENT, naming the input `alias`, where it holds none.
    """
    claimed = read_tensor_header(alias, proto)
    found = _parse_typed_values(proto, claimed.shape)
    if found is not None:
        return found
    if proto.tensor_content and claimed.dtype != tf.string:
        raise _parsing_error(alias)  # TensorFlow would say so too, and write all of it into the log
    try:
        tensor = tf.io.parse_tensor(proto.SerializeToString(), claimed.dtype)
    except (TypeError, tf.errors.InvalidArgumentError) as error:
        raise _parsing_error(alias) from error
    return np.asarray(tensor.numpy(), claimed.dtype.as_numpy_dtype)


def _parsing_error(alias: str) -> RequestError:
    return invalid_argument(f"tensor parsing error: {alias}")


def _parse_typed_values(proto: tensor_pb2.TensorProto, shape: tuple[int, ...]) -> np.ndarray | None:
    """Of the types that requests mostly have, where every value is there: a tenth of the time that
    an op of TensorFlow takes. None of all else.
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
    """`array` with its elements in the typed field, as TensorFlow Serving answers; objects are
    bytes.

    Raises RequestError UNIMPLEMENTED, naming the output `alias`, for a type without such a field
    here.
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
