"""The ports of a server, and the event loop in a separate thread that handles their requests."""

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
"""Time to send responses that are complete."""
_CLIENT_ERRORS = (HttpProcessingError, web.RequestPayloadError)


def bind_grpc(server: grpc.aio.Server, host: str, port: int, tls: Tls | None) -> int:
    """Binds the gRPC port.

    Args:
        server: Server that will listen on the port.
        host: Address to bind.
        port: Port to bind, 0 for any free one.
        tls: Certificates, None for a plain connection.

    Returns:
        The bound port.

    Raises:
        UsageError: The port cannot be bound.
    """
    try:
        if tls is not None:
            return server.add_secure_port(format_address(host, port), tls.credentials())
        return server.add_insecure_port(format_address(host, port))
    except RuntimeError as error:
        raise _build_port_error("gRPC", host, port, "--grpc-port") from error


def bind_rest(host: str, port: int) -> socket.socket:
    """Opens a listening socket; port 0 selects a free one. Raises UsageError if that fails."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise _build_port_error("REST", host, port, "--rest-port") from error


def format_address(host: str, port: int) -> str:
    """host:port, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _build_port_error(what: str, host: str, port: int, option: str) -> UsageError:
    return UsageError(
        f"expected to listen for {what} on {format_address(host, port)}, received an error: "
        f"port {port} is in use, or {host} is not an address of this machine; stop the "
        f"process that uses it, or choose another with {option} or --host"
    )


@contextlib.contextmanager
def run_event_loop(name: str) -> Iterator[asyncio.AbstractEventLoop]:
    """Runs an event loop in a thread until the block ends; remaining tasks are then cancelled."""
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
    """Runs `work` on the loop and returns its result; not to be called from the loop's thread."""
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
    """Serves REST until the block ends. Requests still in progress are then aborted: drain first.

    Args:
        loop: Event loop of the server.
        app: REST application.
        bound: Listening socket.
        context: TLS context, None for plain HTTP.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_log,
        handler_cancellation=True,  # stop work for clients that have disconnected
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
    """Filters errors of clients, such as invalid HTTP, which get status 400 and are not logged."""
    return not (record.exc_info and isinstance(record.exc_info[1], _CLIENT_ERRORS))


_log.addFilter(_is_server_fault)
