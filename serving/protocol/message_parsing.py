"""Parses gRPC messages in the handler instead of in grpcio, and checks their size first.

If grpcio cannot parse a message, the call ends as UNKNOWN, with an error in the log and objects
that are never freed; here it is rejected like any other request.

A string, an embedded message or a map entry of two bytes on the wire occupies up to 126 bytes once
it is parsed (measured with protobuf's C++ implementation), so a message of 64 MiB may become 4 GB:
fields are counted before the message is parsed. Packed numbers are one field of any length.
"""

import inspect
import itertools
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import grpc
import numpy as np
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError

from serving.config import RequestLimits
from serving.protocol.errors import abort_call_on_error, abort_on_error, invalid_argument
from serving.protocol.limits import STRING_BYTES, suggest_raising

_DELIMITED = 2
_FIXED = {1: 8, 5: 4}
_SMALL = 14  # parsing adds little to longer fields
_WALKED = 100_000
_BLOCK = 1 << 20


class ParsingInterceptor(grpc.aio.ServerInterceptor):
    """Rejects with INVALID_ARGUMENT bytes that are not a valid message, or a message with more
    fields than `limits` allow strings in an input. Streams are not changed.
    """

    def __init__(self, limits: RequestLimits) -> None:
        self._limits = limits

    async def intercept_service(  # noqa: D102
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None or handler.request_deserializer is None:
            return handler
        on_loop = inspect.iscoroutinefunction(handler.unary_unary)
        parsing = _parse_on_loop if on_loop else _parse_in_thread
        parse = _bound_parser(handler.request_deserializer, self._limits)
        return grpc.unary_unary_rpc_method_handler(
            parsing(handler.unary_unary, parse),
            response_serializer=handler.response_serializer,
        )


def _bound_parser(parse: Any, limits: RequestLimits) -> Callable[[bytes], Any]:
    """Wraps `parse`, the FromString of a message class, in a check of the number of fields."""

    def bounded(message: bytes) -> Any:
        check_field_count(limits, message, parse.__self__.DESCRIPTOR)
        try:
            return parse(message)
        except DecodeError:
            raise invalid_argument(
                "expected a message of this method's type, received bytes that cannot be parsed"
            ) from None

    return bounded


def _parse_in_thread(answer: Callable[[Any, Any], Any], parse: Callable[[bytes], Any]) -> Any:
    def parsed(message: bytes, context: grpc.ServicerContext) -> Any:
        with abort_on_error(context):
            request = parse(message)
        return answer(request, context)

    return parsed


def _parse_on_loop(
    answer: Callable[[Any, Any], Awaitable[Any]], parse: Callable[[bytes], Any]
) -> Any:
    async def parsed(message: bytes, context: Any) -> Any:
        async with abort_call_on_error(context):
            request = parse(message)
        return await answer(request, context)

    return parsed


def has_more_fields(message: bytes, descriptor: Descriptor, most: int) -> bool:
    """Whether a serialized message has more than `most` small fields, nested ones included.

    Fields with a number above 15 are not counted, since these messages use them for numbers only.
    The walk ends after 100,000 fields, as a longer one would take seconds: if the rest may still
    have more than `most` small fields, the result is True.
    """
    if len(message) // 2 <= most:
        return False
    possible = _count_candidates(message, 0, len(message))
    if possible <= most:
        return False
    for at, end in itertools.islice(_iterate_contents(message, descriptor), _WALKED):
        possible -= _count_candidates(message, at, end) if end - at >= _SMALL else 0
        if possible <= most:
            return False
    return True


def _count_candidates(message: bytes, at: int, end: int) -> int:
    """Upper bound on the number of small fields from `at` to `end`: numbers, and texts with bytes
    below 14, may look like small fields.
    """
    view, count = np.frombuffer(message, np.uint8)[at:end], 0
    for begin in range(0, len(view) - 1, _BLOCK):
        size = view[begin + 1 : begin + 1 + _BLOCK]
        tag = view[begin : begin + len(size)]
        count += np.count_nonzero((tag & 7 == _DELIMITED) & (size < _SMALL))
    return count


def _iterate_contents(message: bytes, descriptor: Descriptor) -> Iterator[tuple[int, int]]:
    """Yields begin and end of each field's content; (0, 0) for numbers and nested messages."""
    parts: list[tuple[int, int, Descriptor]] = [(0, len(message), descriptor)]
    while parts:
        at, end, kind = parts.pop()
        while at < end:
            tag, at = _read_varint(message, at, end)
            content = (0, 0)
            if tag & 7 == _DELIMITED:
                size, at = _read_varint(message, at, end)
                content, at = (at, min(at + size, end)), at + size
                nested = _find_nested_type(kind, tag >> 3)
                if nested is not None:
                    parts.append((*content, nested))
                    content = (0, 0)
            elif tag & 7 == 0:
                _, at = _read_varint(message, at, end)
            else:
                at += _FIXED.get(tag & 7, 0)  # the fields of a group follow its tag
            yield content


def _find_nested_type(kind: Descriptor, number: int) -> Descriptor | None:
    field = kind.fields_by_number.get(number)
    return field.message_type if field and field.type == FieldDescriptor.TYPE_MESSAGE else None


def _read_varint(message: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128 or shift > 63:
            break
        shift += 7
    return value, at


def check_field_count(limits: RequestLimits, message: bytes, descriptor: Descriptor) -> None:
    """Checks the number of fields before a message is parsed; each field, even an empty one, counts
    as a string. Raises RequestError INVALID_ARGUMENT.
    """
    most = limits.max_tensor_bytes // STRING_BYTES
    if has_more_fields(message, descriptor, most):
        raise invalid_argument(
            f"expected at most {most} fields in one message, received more; request less at a "
            f"time{suggest_raising('max_tensor_bytes')}"
        )
