"""A request that cannot be answered, with the status code that TensorFlow Serving gives for it."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import tensorflow as tf

from schema.errors import TandemError

RETRY_PUSHBACK = "grpc-retry-pushback-ms"
"""Trailing metadata in which a server says when to ask again. Source: gRPC proposal A6."""
_MAX_MESSAGE_BYTES = 2000
"""Words travel in a header, of which gRPC's clients take 8 KB, three for a byte beyond ASCII."""
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class RequestError(TandemError):
    """Refusal of one request; `code` goes to gRPC as it is and to REST as an HTTP status."""

    def __init__(self, code: grpc.StatusCode, message: str, retry_ms: int | None = None) -> None:
        """`retry_ms`: when to ask again, where that may help."""
        super().__init__(_truncate(message))
        self.code = code
        self.retry_ms = retry_ms


def _truncate(message: str) -> str:
    encoded = message.encode("utf-8", "replace")
    if len(encoded) <= _MAX_MESSAGE_BYTES:
        return message
    return encoded[:_MAX_MESSAGE_BYTES].decode("utf-8", "ignore") + "…"


def invalid_argument(message: str) -> RequestError:
    """INVALID_ARGUMENT: the request itself does not fit."""
    return RequestError(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> RequestError:
    """NOT_FOUND: no such model, or no such version of it."""
    return RequestError(grpc.StatusCode.NOT_FOUND, message)


@contextlib.contextmanager
def translate_tensorflow_errors() -> Iterator[None]:
    """Turns an error of a TensorFlow op into a refusal with the op's own status code, and a lack of
    memory into RESOURCE_EXHAUSTED.
    """
    try:
        yield
    except tf.errors.OpError as error:
        raise RequestError(_CODES[error.error_code], error.message) from error
    except MemoryError as error:
        raise RequestError(
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "the server has not the memory for this request; ask about fewer rows or shorter lists",
        ) from error


@contextlib.contextmanager
def abort_on_error(context: grpc.ServicerContext) -> Iterator[None]:
    """Ends the call with the status of a refusal; anything else stays a crash of the handler."""
    try:
        yield
    except RequestError as error:
        if error.retry_ms is not None:
            context.set_trailing_metadata(((RETRY_PUSHBACK, str(error.retry_ms)),))
        context.abort(error.code, str(error))


@contextlib.asynccontextmanager
async def abort_call_on_error(context: Any) -> AsyncIterator[None]:
    """The same of a handler on grpc.aio's event loop."""
    try:
        yield
    except RequestError as error:
        if error.retry_ms is not None:
            context.set_trailing_metadata(((RETRY_PUSHBACK, str(error.retry_ms)),))
        await context.abort(error.code, str(error))
