"""A REST application on an event loop in a thread of its own."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

from aiohttp import web


@contextlib.contextmanager
def answering(
    app: web.Application,
    bound: socket.socket,
    grace_seconds: float,
    context: ssl.SSLContext | None,
) -> Iterator[None]:
    """Answers on the socket, over TLS with a `context`, until the block ends; then requests under
    way have `grace_seconds`.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="rest-loop", daemon=True)
    thread.start()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=grace_seconds)

    async def start() -> None:
        await runner.setup()
        await web.SockSite(runner, bound, ssl_context=context).start()

    try:
        asyncio.run_coroutine_threadsafe(start(), loop).result()
        yield
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
