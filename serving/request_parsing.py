"""Messages of gRPC read by the call's own thread, in place of gRPC's.

grpcio keeps for good what it has made for a call whose bytes are no message (seen with 1.85: the
tag of a batch that never ends, some ten kilobytes): whoever sends enough of them would fill the
memory. A message that is read here is refused as any other.
"""

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

Continuation = Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler | None]


class RequestParsing(grpc.ServerInterceptor):
    """Answers INTERNAL, as gRPC does, where bytes are no message. Streams stay as they are."""

    def intercept_service(  # noqa: D102
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        handler: Any = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None or handler.request_deserializer is None:
            return handler
        return grpc.unary_unary_rpc_method_handler(
            _parsing(handler.unary_unary, handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )


def _parsing(
    answer: Callable[[Any, grpc.ServicerContext], Any], parse: Callable[[bytes], Any]
) -> Callable[[bytes, grpc.ServicerContext], Any]:
    def parsed(message: bytes, context: grpc.ServicerContext) -> Any:
        try:
            request = parse(message)
        except DecodeError:
            context.abort(grpc.StatusCode.INTERNAL, "Exception deserializing request!")
        return answer(request, context)

    return parsed
