"""TensorProto to array and back: no Python per element or per row."""

import math
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from serving.request_error import RequestError, invalid

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
    dtype.as_datatype_enum: (_FIELDS[dtype], np.dtype(dtype.as_numpy_dtype))
    for dtype in (tf.string, tf.int64, tf.int32, tf.float32)
}


def from_proto(alias: str, proto: tensor_pb2.TensorProto) -> np.ndarray:
    """What `proto` holds, in any of TensorProto's encodings; strings are bytes objects.

    Raises RequestError INVALID_ARGUMENT, naming the input `alias`, where it holds none.
    """
    found = _written_out(proto)
    if found is not None:
        return found
    try:
        tensor = tf.io.parse_tensor(proto.SerializeToString(), tf.dtypes.as_dtype(proto.dtype))
    except (TypeError, tf.errors.InvalidArgumentError) as error:
        raise invalid(f"tensor parsing error: {alias}") from error
    return np.asarray(tensor.numpy(), tensor.dtype.as_numpy_dtype)


def _written_out(proto: tensor_pb2.TensorProto) -> np.ndarray | None:
    """Of the types that requests mostly have, where every value is there: a tenth of the time that
    an op of TensorFlow takes. None of all else.
    """
    if proto.dtype not in _COMMON or proto.tensor_shape.unknown_rank:
        return None
    field, dtype = _COMMON[proto.dtype]
    shape = [dim.size for dim in proto.tensor_shape.dim]
    count = math.prod(shape)
    if min(shape, default=0) < 0:
        return None
    content = proto.tensor_content
    values: Any = getattr(proto, field)
    if content:
        if dtype.hasobject or len(content) != count * dtype.itemsize:
            return None
        return np.frombuffer(content, dtype).reshape(shape)
    if len(values) != count:
        return None
    return np.array(values, dtype).reshape(shape)


def to_proto(alias: str, array: np.ndarray) -> tensor_pb2.TensorProto:
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
