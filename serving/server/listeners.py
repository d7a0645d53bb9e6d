"""Ports that a server listens on, or one sentence about why it cannot."""

import socket

import grpc

from schema.errors import UsageError
from serving.server.security import Tls


def bound_grpc(server: grpc.aio.Server, host: str, port: int, tls: Tls | None) -> int:
    """The port that `server` will listen on, a free one for 0. Raises UsageError."""
    try:
        if tls is not None:
            return server.add_secure_port(address(host, port), tls.credentials())
        return server.add_insecure_port(address(host, port))
    except RuntimeError as error:
        raise _refused("gRPC", host, port, "--grpc-port") from error


def bound_rest(host: str, port: int) -> socket.socket:
    """A socket that listens, on a free port for 0. Raises UsageError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise _refused("REST", host, port, "--rest-port") from error


def address(host: str, port: int) -> str:
    """host:port, with the brackets that IPv6 wants."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _refused(what: str, host: str, port: int, option: str) -> UsageError:
    return UsageError(
        f"expected to listen for {what} on {address(host, port)}, received a refusal: port {port} "
        f"is in use, or {host} is no address of this machine; stop what holds it, or give another "
        f"with {option} or --host"
    )
