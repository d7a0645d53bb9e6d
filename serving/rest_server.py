"""A REST application on an event loop."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Iterator

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from serving import event_loop

_log = logging.getLogger(__name__)
_WRITING_SECONDS = 0.5
"""For what has been answered and is not yet sent."""
_SENDERS_FAULTS = (HttpProcessingError, web.RequestPayloadError)


@contextlib.contextmanager
def answering(
    loop: asyncio.AbstractEventLoop,
    app: web.Application,
    bound: socket.socket,
    context: ssl.SSLContext | None,
) -> Iterator[None]:
    """Answers on the socket, over TLS with a `context`, until the block ends; then requests under
    way are cut off: those to be answered have been drained before.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_log,
        handler_cancellation=True,  # who has gone waits for nothing
        shutdown_timeout=_WRITING_SECONDS,
    )

    async def start() -> None:
        await runner.setup()
        await web.SockSite(runner, bound, ssl_context=context).start()

    try:
        event_loop.wait_for(loop, start())
        yield
    finally:
        event_loop.wait_for(loop, runner.cleanup())


def _is_ours(record: logging.LogRecord) -> bool:
    """What is no HTTP is its sender's fault, who gets 400: it is no line of the log."""
    return not (record.exc_info and isinstance(record.exc_info[1], _SENDERS_FAULTS))


_log.addFilter(_is_ours)
