"""Errors of requests, with the status codes that TensorFlow Serving uses."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import tensorflow as tf

from schema.errors import TandemError

RETRY_PUSHBACK = "grpc-retry-pushback-ms"
"""Trailing metadata with which a server requests a retry delay. Source: gRPC proposal A6."""
_MAX_MESSAGE_BYTES = 2000
"""The message is sent in a header, which gRPC clients limit to 8 KB; a byte that is not ASCII is
encoded as three."""
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class RequestError(TandemError):
    """Rejection of one request; gRPC returns `code` itself, REST the matching HTTP status."""

    def __init__(self, code: grpc.StatusCode, message: str, retry_ms: int | None = None) -> None:
        """`retry_ms`: delay in milliseconds after which a retry may succeed; None if none is
        advised.
        """
        super().__init__(_truncate(message))
        self.code = code
        self.retry_ms = retry_ms


def _truncate(message: str) -> str:
    encoded = message.encode("utf-8", "replace")
    if len(encoded) <= _MAX_MESSAGE_BYTES:
        return message
    return encoded[:_MAX_MESSAGE_BYTES].decode("utf-8", "ignore") + "…"


def invalid_argument(message: str) -> RequestError:
    """INVALID_ARGUMENT: the request itself is invalid."""
    return RequestError(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> RequestError:
    """NOT_FOUND: no such model, or no such version of it."""
    return RequestError(grpc.StatusCode.NOT_FOUND, message)


@contextlib.contextmanager
def translate_tensorflow_errors() -> Iterator[None]:
    """Converts an error of a TensorFlow op to a RequestError with the op's status code, and a
    MemoryError to RESOURCE_EXHAUSTED.
    """
    try:
        yield
    except tf.errors.OpError as error:
        raise RequestError(_CODES[error.error_code], error.message) from error
    except MemoryError as error:
        raise RequestError(
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "the server does not have enough memory for this request; send fewer rows or shorter "
            "lists",
        ) from error


@contextlib.contextmanager
def abort_on_error(context: grpc.ServicerContext) -> Iterator[None]:
    """Aborts the call with the status of a RequestError; other exceptions pass through."""
    try:
        yield
    except RequestError as error:
        if error.retry_ms is not None:
            context.set_trailing_metadata(((RETRY_PUSHBACK, str(error.retry_ms)),))
        context.abort(error.code, str(error))


@contextlib.asynccontextmanager
async def abort_call_on_error(context: Any) -> AsyncIterator[None]:
    """As `abort_on_error`, for a handler on the event loop of grpc.aio."""
    try:
        yield
    except RequestError as error:
        if error.retry_ms is not None:
            context.set_trailing_metadata(((RETRY_PUSHBACK, str(error.retry_ms)),))
        await context.abort(error.code, str(error))
