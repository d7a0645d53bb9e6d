"""Messages of gRPC read where the call is answered, in place of gRPC's own reading.

What grpcio has read as no message ends the call as UNKNOWN, with an error in the log and objects
that are kept; a message that is read here is refused as any other.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

_NO_MESSAGE = (
    grpc.StatusCode.INVALID_ARGUMENT,
    "expected a message of this method's type, received bytes that are none",
)


class RequestParsing(grpc.aio.ServerInterceptor):
    """Answers INVALID_ARGUMENT where bytes are no message. Streams stay as they are."""

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
        return grpc.unary_unary_rpc_method_handler(
            parsing(handler.unary_unary, handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )


def _parsing(answer: Callable[[Any, Any], Any], parse: Callable[[bytes], Any]) -> Any:
    def parsed(message: bytes, context: grpc.ServicerContext) -> Any:
        try:
            request = parse(message)
        except DecodeError:
            context.abort(*_NO_MESSAGE)
        return answer(request, context)

    return parsed


def _parsing_on_loop(
    answer: Callable[[Any, Any], Awaitable[Any]], parse: Callable[[bytes], Any]
) -> Any:
    async def parsed(message: bytes, context: Any) -> Any:
        try:
            request = parse(message)
        except DecodeError:
            await context.abort(*_NO_MESSAGE)
        return await answer(request, context)

    return parsed
