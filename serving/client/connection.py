"""Connection of a client to a server: plain or TLS, bearer token, and retries."""

import dataclasses
import pathlib
import random
from typing import Any

import grpc

from schema.errors import UsageError
from serving.protocol.errors import RETRY_PUSHBACK

_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A failed channel waits before it reconnects, by default longer than all retries together.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1000),
]


@dataclasses.dataclass(frozen=True)
class Security:
    """TLS and bearer token of the connection; by default it has neither, as on loopback.

    Raises UsageError if the parts do not fit together.
    """

    tls: bool = False
    root_certificates: pathlib.Path | None = None
    """PEM of the CAs of the server's certificate; None for gRPC's list of public roots."""
    certificate: pathlib.Path | None = None
    """PEM of the client's certificate chain, if the server requires one (mutual TLS)."""
    key: pathlib.Path | None = None
    """PEM of the certificate's private key."""
    token: str | None = dataclasses.field(default=None, repr=False)
    """Sent with each call as `authorization: Bearer <token>`, unencrypted without TLS."""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise UsageError(
                "expected a client's certificate and its key together, received one of them; "
                "give both or neither"
            )
        if not self.tls and (self.root_certificates or self.certificate):
            raise UsageError(
                "expected certificates for a TLS connection, received them for a plain one; "
                "enable TLS, or leave them out"
            )
        if self.token is not None and not _is_token(self.token):
            raise UsageError(
                "expected a bearer token of printable ASCII without spaces, received something "
                "else; look for a line break or a quote in its source"
            )


PLAIN = Security()


def open_channel(address: str, security: Security) -> grpc.Channel:
    """A channel to host:port; it connects with the first call.

    Raises UsageError if a certificate file cannot be read.
    """
    if not security.tls:
        return grpc.insecure_channel(address, options=_OPTIONS)
    return grpc.secure_channel(address, _build_credentials(security), options=_OPTIONS)


def open_async_channel(address: str, security: Security) -> grpc.aio.Channel:
    """As `open_channel`, for asyncio; call it inside a running event loop."""
    if not security.tls:
        return grpc.aio.insecure_channel(address, options=_OPTIONS)
    return grpc.aio.secure_channel(address, _build_credentials(security), options=_OPTIONS)


def build_call_metadata(security: Security) -> tuple[tuple[str, str], ...]:
    """Metadata sent with each call."""
    if security.token is None:
        return ()
    return (("authorization", f"Bearer {security.token}"),)


def _build_credentials(security: Security) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=_read(security.root_certificates),
        private_key=_read(security.key),
        certificate_chain=_read(security.certificate),
    )


def _read(path: pathlib.Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"expected a readable PEM file at {path}, received: {error.strerror}; "
            "give the path of one"
        ) from error


def _is_token(token: str) -> bool:
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


@dataclasses.dataclass(frozen=True)
class RetryPolicy:
    """Which failed calls are retried, and after which pause. Predict, GetModelStatus and
    GetModelMetadata are safe to retry: no request changes the state of a model.

    UNAVAILABLE is retried, since the server has not answered. RESOURCE_EXHAUSTED is retried only if
    the server gives a delay, as more calls do not help an overloaded server. DEADLINE_EXCEEDED and
    all other errors are final.

    gRPC's own policy (`retryPolicy` of the service config) cannot make a code depend on that delay:
    it would retry RESOURCE_EXHAUSTED always or never.
    """

    attempts: int = 4
    """Maximum number of calls, including the first."""
    first_pause_s: float = 0.05
    """The pause before attempt n + 1 is uniform between 0 and first_pause_s * 2^(n - 1), so that
    clients that failed at the same time do not retry at the same time."""
    longest_pause_s: float = 1.0
    """Upper bound of the doubled pause; a delay that the server gives is not bounded."""

    def pause(self, failed: int, error: grpc.RpcError, remaining_s: float) -> float | None:
        """Seconds to wait before the next attempt; None if there is none.

        Args:
            failed: Number of the attempt that failed, from 1.
            error: Its error.
            remaining_s: Seconds until the deadline of the whole call; a longer pause ends it.
        """
        if failed >= self.attempts:
            return None
        delay = _read_pushback(error)
        if error.code() == grpc.StatusCode.UNAVAILABLE:
            pause = self._backoff(failed) if delay is None else delay
        elif error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and delay is not None:
            pause = delay
        else:
            return None
        return pause if 0 <= pause < remaining_s else None

    def _backoff(self, failed: int) -> float:
        return random.uniform(0, min(self.longest_pause_s, self.first_pause_s * 2 ** (failed - 1)))


def _read_pushback(error: grpc.RpcError) -> float | None:
    """Retry delay in seconds that the server requests; -1 if it forbids a retry, None if it gives
    none. According to proposal A6 a value that is not a number forbids it too.
    """
    trailing: Any = error.trailing_metadata()
    for key, value in trailing or ():
        if key == RETRY_PUSHBACK:
            return int(value) / 1000 if value.isdecimal() else -1.0
    return None
