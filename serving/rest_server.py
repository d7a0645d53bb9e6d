"""A REST application on an event loop."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator

from aiohttp import web

from serving import event_loop


@contextlib.contextmanager
def answering(
    loop: asyncio.AbstractEventLoop,
    app: web.Application,
    bound: socket.socket,
    grace_seconds: float,
    context: ssl.SSLContext | None,
) -> Iterator[None]:
    """Answers on the socket, over TLS with a `context`, until the block ends; then requests under
    way have `grace_seconds`.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=grace_seconds)

    async def start() -> None:
        await runner.setup()
        await web.SockSite(runner, bound, ssl_context=context).start()

    try:
        event_loop.wait_for(loop, start())
        yield
    finally:
        event_loop.wait_for(loop, runner.cleanup())
