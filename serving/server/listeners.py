"""The ports of a server, and the event loop in a thread of its own on which they answer."""

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import grpc
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from schema.errors import UsageError
from serving.server.security import Tls

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
_WRITING_SECONDS = 0.5
"""For what has been answered and is not yet sent."""
_SENDERS_FAULTS = (HttpProcessingError, web.RequestPayloadError)


def bind_grpc(server: grpc.aio.Server, host: str, port: int, tls: Tls | None) -> int:
    """The port that `server` will listen on, a free one for 0. Raises UsageError."""
    try:
        if tls is not None:
            return server.add_secure_port(format_address(host, port), tls.credentials())
        return server.add_insecure_port(format_address(host, port))
    except RuntimeError as error:
        raise _build_port_error("gRPC", host, port, "--grpc-port") from error


def bind_rest(host: str, port: int) -> socket.socket:
    """A socket that listens, on a free port for 0. Raises UsageError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise _build_port_error("REST", host, port, "--rest-port") from error


def format_address(host: str, port: int) -> str:
    """host:port, with the brackets that IPv6 wants."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _build_port_error(what: str, host: str, port: int, option: str) -> UsageError:
    return UsageError(
        f"expected to listen for {what} on {format_address(host, port)}, received a refusal: "
        f"port {port} is in use, or {host} is no address of this machine; stop what holds it, or "
        f"give another with {option} or --host"
    )


@contextlib.contextmanager
def run_event_loop(name: str) -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs until the block ends; what is still on it then is cancelled."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=name, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        run_on_loop(loop, _cancel_all())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def run_on_loop(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, _T]) -> _T:
    """What `work` gives or raises, done on the loop. Not to be called from the loop's thread."""
    return asyncio.run_coroutine_threadsafe(work, loop).result()


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@contextlib.contextmanager
def serve_rest(
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
        run_on_loop(loop, start())
        yield
    finally:
        run_on_loop(loop, runner.cleanup())


def _is_server_fault(record: logging.LogRecord) -> bool:
    """What is no HTTP is its sender's fault, who gets 400: it is no line of the log."""
    return not (record.exc_info and isinstance(record.exc_info[1], _SENDERS_FAULTS))


_log.addFilter(_is_server_fault)
