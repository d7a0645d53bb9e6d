"""TLS, mutual TLS and a bearer token, for both ports."""

import dataclasses
import hmac
import pathlib
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from aiohttp import web
from grpc_health.v1 import health

from schema.errors import UsageError
from serving.protocol import text_protos
from serving.protocol.text_protos import Field

_SSL_FILE = "tensorflow_serving/config/ssl_config.proto"
_SSL_FIELDS = [
    ("server_key", 1, Field.TYPE_STRING),
    ("server_cert", 2, Field.TYPE_STRING),
    ("custom_ca", 3, Field.TYPE_STRING),
    ("client_verify", 4, Field.TYPE_BOOL),
]
_REFUSED = "expected the bearer token of this server in `authorization`, received none or another"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclasses.dataclass(frozen=True)
class Tls:
    """Certificates and key in PEM format."""

    certificate: bytes
    key: bytes = dataclasses.field(repr=False)
    client_roots: bytes = b""
    """CAs of client certificates; b"" requires no client certificate."""

    def credentials(self) -> grpc.ServerCredentials:
        """The part for gRPC."""
        return grpc.ssl_server_credentials(
            [(self.key, self.certificate)],
            root_certificates=self.client_roots or None,
            require_client_auth=bool(self.client_roots),
        )

    def context(self) -> ssl.SSLContext:
        """The part for REST, TLS 1.2 or newer. Raises UsageError if the parts do not match."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.TemporaryDirectory(prefix="tandem-") as folder:  # only the owner may enter
            certificate, key = pathlib.Path(folder, "certificate"), pathlib.Path(folder, "key")
            certificate.write_bytes(self.certificate)
            key.write_bytes(self.key)
            try:
                # Without a password OpenSSL would prompt for one at the terminal.
                context.load_cert_chain(certificate, key, password="")
                if self.client_roots:
                    context.load_verify_locations(cadata=self.client_roots.decode("ascii"))
                    context.verify_mode = ssl.CERT_REQUIRED
            except (ssl.SSLError, UnicodeDecodeError, ValueError) as error:
                raise UsageError(
                    "expected a certificate, its key without a password, and roots, in PEM; "
                    f"received {error}; fix the files given for TLS"
                ) from error
        return context


@dataclasses.dataclass(frozen=True)
class ServerSecurity:
    """TLS of the server, and the bearer token that clients must send."""

    tls: Tls | None = None
    token: str = dataclasses.field(default="", repr=False)
    """Required bearer token; "" disables the check."""

    def interceptors(self) -> list[Any]:
        """The part for gRPC."""
        return [_TokenInterceptor(self)] if self.token else []

    def middlewares(self) -> list[Any]:
        """The part for REST."""
        return [self._require_token] if self.token else []

    def allows(self, authorization: str | bytes) -> bool:
        """Whether the header's value has the token, compared in constant time."""
        given = authorization.encode() if isinstance(authorization, str) else authorization
        return hmac.compare_digest(given, f"Bearer {self.token}".encode())

    @property
    def _require_token(self) -> Any:
        @web.middleware
        async def require_token(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self.allows(request.headers.get("Authorization", "")):
                return await handler(request)
            return web.json_response(
                {"error": _REFUSED}, status=401, headers={"WWW-Authenticate": "Bearer"}
            )

        return require_token


class _TokenInterceptor(grpc.aio.ServerInterceptor):
    """Rejects calls without the token, except health checks, which probes send."""

    def __init__(self, security: ServerSecurity) -> None:
        self._security = security
        self._refusal = grpc.unary_unary_rpc_method_handler(_refuse)

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Implements grpc.aio.ServerInterceptor."""
        if handler_call_details.method.startswith(f"/{health.SERVICE_NAME}/"):
            return await continuation(handler_call_details)
        given = dict(handler_call_details.invocation_metadata or ()).get("authorization", "")
        if self._security.allows(given):
            return await continuation(handler_call_details)
        return self._refusal


async def _refuse(request: object, context: Any) -> None:
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, _REFUSED)


def read_tls(
    certificate: pathlib.Path, key: pathlib.Path, client_roots: pathlib.Path | None
) -> Tls:
    """Reads PEM files. Raises UsageError if they cannot be read or do not match."""
    roots = b"" if client_roots is None else _read_bytes(client_roots)
    return _check_tls(Tls(_read_bytes(certificate), _read_bytes(key), roots))


def read_ssl_config(path: pathlib.Path) -> Tls:
    """Reads TensorFlow Serving's SSLConfig, a text proto that contains the PEM texts. Raises
    UsageError if it cannot be read or the parts do not match.
    """
    message = text_protos.declare_messages(_SSL_FILE, {"SSLConfig": _SSL_FIELDS})["SSLConfig"]()
    config = text_protos.read(path, message)
    if config.client_verify and not config.custom_ca:
        raise UsageError(
            f"expected custom_ca in {path} with client_verify, received none; add the CAs of "
            "client certificates"
        )
    roots = config.custom_ca.encode() if config.client_verify else b""
    return _check_tls(Tls(config.server_cert.encode(), config.server_key.encode(), roots))


def read_token(path: pathlib.Path) -> str:
    """Reads a token from a file of one line. Raises UsageError if a header cannot contain it."""
    token = _read_bytes(path).decode("utf-8", "replace").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            f"expected one line of printable ASCII without spaces in {path}, received something "
            "else; make a token with: openssl rand -hex 32"
        )
    return token


def _check_tls(tls: Tls) -> Tls:
    tls.context()
    return tls


def _read_bytes(path: pathlib.Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"expected a readable file at {path}, received {error.strerror}; fix the path"
        ) from error
