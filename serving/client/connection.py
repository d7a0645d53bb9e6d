"""How a client reaches a server: plain or TLS, with or without a bearer token, and its retries."""

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
    # A channel that failed waits before it connects again, by default longer than all retries take.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1000),
]


@dataclasses.dataclass(frozen=True)
class Security:
    """What the connection is protected by; nothing by default, as on loopback.

    Raises UsageError where the parts do not fit together.
    """

    tls: bool = False
    root_certificates: pathlib.Path | None = None
    """PEM of who signed the server's certificate; None for gRPC's own list of public roots."""
    certificate: pathlib.Path | None = None
    """PEM of the client's own chain, where the server wants one (mutual TLS)."""
    key: pathlib.Path | None = None
    """PEM of the certificate's private key."""
    token: str | None = dataclasses.field(default=None, repr=False)
    """Sent with each call as `authorization: Bearer <token>`. Without TLS whoever listens on the
    way reads it."""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise UsageError(
                "expected a client's certificate and its key together, received one of them; "
                "give both or neither"
            )
        if not self.tls and (self.root_certificates or self.certificate):
            raise UsageError(
                "expected certificates for a TLS connection, received them for a plain one; "
                "ask for TLS, or leave them out"
            )
        if self.token is not None and not _is_token(self.token):
            raise UsageError(
                "expected a bearer token of printable ASCII without spaces, received something "
                "else; look for a line break or a quote in its source"
            )


PLAIN = Security()


def open_channel(address: str, security: Security) -> grpc.Channel:
    """A channel to host:port; it connects with the first call.

    Raises UsageError where a file of certificates cannot be read.
    """
    if not security.tls:
        return grpc.insecure_channel(address, options=_OPTIONS)
    return grpc.secure_channel(address, _build_credentials(security), options=_OPTIONS)


def open_async_channel(address: str, security: Security) -> grpc.aio.Channel:
    """As `open_channel`, for asyncio; to be made where an event loop runs."""
    if not security.tls:
        return grpc.aio.insecure_channel(address, options=_OPTIONS)
    return grpc.aio.secure_channel(address, _build_credentials(security), options=_OPTIONS)


def build_call_metadata(security: Security) -> tuple[tuple[str, str], ...]:
    """Metadata of each call."""
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
    GetModelMetadata may be: models have no state that a request changes.

    UNAVAILABLE is retried, since the server has not answered. RESOURCE_EXHAUSTED is retried only if
    the server says when: more calls do not help an overloaded one. DEADLINE_EXCEEDED and every
    refusal are final.
    """

    attempts: int = 4
    """Calls in all, the first included."""
    first_pause_s: float = 0.05
    """The pause before attempt n + 1 is uniform between 0 and first_pause_s * 2^(n - 1), so that
    clients that failed together do not come back together."""
    longest_pause_s: float = 1.0
    """Bound of that doubling; a server's own pause is kept, however long."""

    def pause(self, failed: int, error: grpc.RpcError, remaining_s: float) -> float | None:
        """Seconds to wait after attempt number `failed` (from 1) ended with `error`; None: give up.

        `remaining_s` is what is left until the deadline of the whole call; a pause that would use
        it up is not begun.
        """
        if failed >= self.attempts:
            return None
        asked = _read_pushback(error)
        if error.code() == grpc.StatusCode.UNAVAILABLE:
            pause = self._backoff(failed) if asked is None else asked
        elif error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and asked is not None:
            pause = asked
        else:
            return None
        return pause if 0 <= pause < remaining_s else None

    def _backoff(self, failed: int) -> float:
        return random.uniform(0, min(self.longest_pause_s, self.first_pause_s * 2 ** (failed - 1)))


def _read_pushback(error: grpc.RpcError) -> float | None:
    """Seconds that the server asks to wait; -1 where it asks not to come back, None if it says
    nothing. What is no number means not to come back, as A6 has it.
    """
    trailing: Any = error.trailing_metadata()
    for key, value in trailing or ():
        if key == RETRY_PUSHBACK:
            return int(value) / 1000 if value.isdecimal() else -1.0
    return None
