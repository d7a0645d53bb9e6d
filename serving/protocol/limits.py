"""Limits on the size of a request, checked on types and shapes before its values are parsed.

A tensor with one value may declare a shape of billions (TensorProto repeats its last value), an
empty row expands to all defaults, and `k` to a list of that length.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from schema import signatures
from serving.config import RequestLimits
from serving.protocol.errors import invalid_argument

# Size of Python's objects, with their reference in a list.
_VALUE_BYTES, _LIST_BYTES, _OBJECT_BYTES = 32, 96, 240
STRING_BYTES = 64
"""Memory of a string without its text: an object in Python, and another one in TensorFlow."""


class TensorHeader(NamedTuple):
    """Declared type and shape of a tensor. An array has both too, and may be used instead."""

    dtype: tf.DType
    shape: tuple[int, ...]
    text_bytes: int = 0
    """Bytes of the texts of its strings, repeated ones included; computed from arrays."""


TensorHeaders = Mapping[str, Any]
"""Headers or arrays by input name."""

DEFAULT_LIMITS = RequestLimits()


def check_row_count(limits: RequestLimits, rows: int) -> None:
    """Raises RequestError INVALID_ARGUMENT, with the message of TensorFlow Serving's batching."""
    if rows > limits.max_rows:
        raise invalid_argument(
            f"Task size {rows} is larger than maximum input batch size {limits.max_rows}; "
            f"send fewer rows at a time{suggest_raising('max_rows')}"
        )


def check_tensor_sizes(
    limits: RequestLimits, signature: meta_graph_pb2.SignatureDef, headers: TensorHeaders
) -> None:
    """Checks all limits that do not depend on values. Raises RequestError INVALID_ARGUMENT.

    A dimension of 0 counts as 1: an empty tensor with wide rows may be padded to that width.
    """
    if not is_recommendation(signature):
        _check("bytes of tensors", "max_tensor_bytes", limits, sum(map(_bytes, headers.values())))
        return
    rows = max((header.shape[0] for header in headers.values() if header.shape), default=0)
    check_row_count(limits, rows)
    for alias, header in headers.items():
        key = "max_categories" if alias == signatures.ALLOWED_CATEGORIES else "max_list"
        _check(f"values a row of {alias}", key, limits, math.prod(header.shape[1:]))
    total = rows * sum(map(_bytes_of_a_row, headers.values())) + _texts(rows, headers)
    _check("bytes of tensors", "max_tensor_bytes", limits, total)


def check_list_sizes(
    limits: RequestLimits,
    signature: meta_graph_pb2.SignatureDef,
    inputs: Mapping[str, np.ndarray],
    items: int | None,
) -> None:
    """Checks the length of the requested lists and the number of items to score.

    Args:
        limits: Limits of one request.
        signature: Signature of the call.
        inputs: All inputs of the call.
        items: Size of the catalogue, which bounds the length of a list; None if unknown.

    Raises:
        RequestError: INVALID_ARGUMENT if a limit is exceeded.
    """
    if not is_recommendation(signature):
        return
    wanted = 0
    if signatures.K in inputs:
        k = int(inputs[signatures.K].max(initial=0))
        wanted = k if items is None else min(k, items)
        _check("items in a list", "max_k", limits, k if wanted > limits.max_k else wanted)
    elif signatures.CANDIDATE_ITEM_IDS in inputs:
        wanted = inputs[signatures.CANDIDATE_ITEM_IDS].shape[1]
    rows = max(map(len, inputs.values()), default=0)
    _check("items to score", "max_scored", limits, wanted * rows)


def check_json_size(limits: RequestLimits, body: bytes) -> None:
    """Estimates the size of a body before it is parsed: each value but the first of a list or an
    object follows a comma. Raises RequestError INVALID_ARGUMENT.
    """
    size = (
        body.count(b",") * _VALUE_BYTES
        + body.count(b"[") * _LIST_BYTES
        + body.count(b"{") * _OBJECT_BYTES
    )
    _check("JSON values in bytes", "max_tensor_bytes", limits, size)


def count_tensor_bytes(inputs: Mapping[str, np.ndarray]) -> int:
    """Bytes of parsed arrays by their shapes; texts are not counted, since the message has them."""
    return sum(value.size * _bytes_of_one(value.dtype) for value in inputs.values())


def is_recommendation(signature: meta_graph_pb2.SignatureDef) -> bool:
    """Whether the signature is one of `schema.signatures`, whose rows have histories."""
    return (
        signatures.HISTORY_ITEM_IDS in signature.inputs and signatures.USER_ID in signature.inputs
    )


def _bytes(header: Any) -> int:
    count = math.prod(size or 1 for size in header.shape)
    return count * _bytes_of_one(header.dtype) + _text_bytes(header)


def _texts(rows: int, headers: TensorHeaders) -> int:
    """Bytes of all texts; those of a single row are broadcast to all rows."""
    return sum(
        _text_bytes(header) * (rows if header.shape and header.shape[0] == 1 else 1)
        for header in headers.values()
    )


def _text_bytes(header: Any) -> int:
    if isinstance(header, TensorHeader):
        return header.text_bytes
    return sum(map(len, header.ravel().tolist())) if header.dtype == object else 0


def _bytes_of_a_row(header: Any) -> int:
    """A single row may be broadcast to all, so each input counts with its size per row."""
    return math.prod(size or 1 for size in header.shape[1:]) * _bytes_of_one(header.dtype)


def _bytes_of_one(dtype: Any) -> int:
    if dtype == tf.string or dtype == np.dtype(object):
        return STRING_BYTES
    return dtype.size if isinstance(dtype, tf.DType) else dtype.itemsize


def _check(what: str, key: str, limits: RequestLimits, received: int) -> None:
    most = getattr(limits, key)
    if received > most:
        raise invalid_argument(
            f"expected at most {most} {what} in one request, received {received}; request less "
            f"at a time{suggest_raising(key)}"
        )


def suggest_raising(key: str) -> str:
    """End of an error message: which limit to raise, and with which option."""
    return f", or raise serving.limits.{key} (--{key.replace('_', '-')})"
