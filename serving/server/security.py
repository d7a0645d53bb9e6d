"""TLS, mutual TLS and a bearer token, for both ports alike."""

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
    """Certificates and key in PEM."""

    certificate: bytes
    key: bytes = dataclasses.field(repr=False)
    client_roots: bytes = b""
    """Who must have signed a client's certificate; b"" asks for none."""

    def credentials(self) -> grpc.ServerCredentials:
        """For gRPC."""
        return grpc.ssl_server_credentials(
            [(self.key, self.certificate)],
            root_certificates=self.client_roots or None,
            require_client_auth=bool(self.client_roots),
        )

    def context(self) -> ssl.SSLContext:
        """For REST: TLS 1.2 or newer. Raises UsageError where the parts do not fit together."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.TemporaryDirectory(prefix="tandem-") as folder:  # only the owner may enter
            certificate, key = pathlib.Path(folder, "certificate"), pathlib.Path(folder, "key")
            certificate.write_bytes(self.certificate)
            key.write_bytes(self.key)
            try:
                # The password keeps OpenSSL from asking for one at the terminal.
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
    """What clients must bring, and what the server proves."""

    tls: Tls | None = None
    token: str = dataclasses.field(default="", repr=False)
    """"" lets everybody in."""

    def interceptors(self) -> list[Any]:
        """For gRPC."""
        return [_TokenInterceptor(self)] if self.token else []

    def middlewares(self) -> list[Any]:
        """For REST."""
        return [self._let_in] if self.token else []

    def allows(self, authorization: str | bytes) -> bool:
        """Whether the header's value is the token; in constant time."""
        given = authorization.encode() if isinstance(authorization, str) else authorization
        return hmac.compare_digest(given, f"Bearer {self.token}".encode())

    @property
    def _let_in(self) -> Any:
        @web.middleware
        async def let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self.allows(request.headers.get("Authorization", "")):
                return await handler(request)
            return web.json_response(
                {"error": _REFUSED}, status=401, headers={"WWW-Authenticate": "Bearer"}
            )

        return let_in


class _TokenInterceptor(grpc.aio.ServerInterceptor):
    """Refuses calls without the token, all but those of health, which probes make."""

    def __init__(self, security: ServerSecurity) -> None:
        self._security = security
        self._refusal = grpc.unary_unary_rpc_method_handler(_refuse)

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """As gRPC wants it."""
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
    """Of PEM files. Raises UsageError where they cannot be read or do not fit together."""
    roots = b"" if client_roots is None else _read_bytes(client_roots)
    return _check_tls(Tls(_read_bytes(certificate), _read_bytes(key), roots))


def read_ssl_config(path: pathlib.Path) -> Tls:
    """Of TensorFlow Serving's SSLConfig, a text proto with the PEM texts in it. Raises UsageError
    as `read_tls` does.
    """
    message = text_protos.declare_messages(_SSL_FILE, {"SSLConfig": _SSL_FIELDS})["SSLConfig"]()
    config = text_protos.read(path, message)
    if config.client_verify and not config.custom_ca:
        raise UsageError(
            f"expected custom_ca in {path} beside client_verify, received none; say who signs "
            "clients' certificates"
        )
    roots = config.custom_ca.encode() if config.client_verify else b""
    return _check_tls(Tls(config.server_cert.encode(), config.server_key.encode(), roots))


def read_token(path: pathlib.Path) -> str:
    """The one line of a file. Raises UsageError where there is none that a header can carry."""
    token = _read_bytes(path).decode("utf-8", "replace").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            f"expected one line of printable ASCII without blanks in {path}, received something "
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
