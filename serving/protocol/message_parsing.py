"""Messages of gRPC read where the call is answered, in place of gRPC's own reading.

What grpcio has read as no message ends the call as UNKNOWN, with an error in the log and objects
that are kept; a message that is read here is refused as any other, and measured first.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from serving.config import RequestLimits
from serving.protocol import limits as protocol_limits
from serving.protocol.errors import aborting, aborting_call, invalid


class RequestParsing(grpc.aio.ServerInterceptor):
    """Answers INVALID_ARGUMENT where bytes are no message, or one of more fields than `limits` let
    an input have strings. Streams stay as they are.
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
        parsing = _parsing_on_loop if on_loop else _parsing
        parse = _bounded(handler.request_deserializer, self._limits)
        return grpc.unary_unary_rpc_method_handler(
            parsing(handler.unary_unary, parse),
            response_serializer=handler.response_serializer,
        )


def _bounded(parse: Any, limits: RequestLimits) -> Callable[[bytes], Any]:
    """`parse` is the FromString of a message's class."""

    def bounded(message: bytes) -> Any:
        protocol_limits.check_message(limits, message, parse.__self__.DESCRIPTOR)
        try:
            return parse(message)
        except DecodeError:
            raise invalid(
                "expected a message of this method's type, received bytes that are none"
            ) from None

    return bounded


def _parsing(answer: Callable[[Any, Any], Any], parse: Callable[[bytes], Any]) -> Any:
    def parsed(message: bytes, context: grpc.ServicerContext) -> Any:
        with aborting(context):
            request = parse(message)
        return answer(request, context)

    return parsed


def _parsing_on_loop(
    answer: Callable[[Any, Any], Awaitable[Any]], parse: Callable[[bytes], Any]
) -> Any:
    async def parsed(message: bytes, context: Any) -> Any:
        async with aborting_call(context):
            request = parse(message)
        return await answer(request, context)

    return parsed
