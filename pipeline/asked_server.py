"""The server that a verb is told to ask: its address, and how the connection is protected."""

import argparse
import pathlib
from typing import TYPE_CHECKING

from pipeline.cli import arguments
from pipeline.commands.recommend import ServerAddress
from schema.errors import UsageError

if TYPE_CHECKING:
    pass

_FILES = ("tls_roots", "tls_certificate", "tls_key")


def add_arguments(parser: argparse.ArgumentParser, text: str) -> None:
    """`--server`, which `text` explains, and what protects the connection to it."""
    parser.add_argument("--server", metavar="HOST:PORT", help=text)
    group = parser.add_argument_group("connection to --server")
    group.add_argument("--tls", action="store_true", help="speak TLS (implied by the next three)")
    for option, what in (
        ("--tls-roots", "who signed the server's certificate"),
        ("--tls-certificate", "our own certificate, for mutual TLS"),
        ("--tls-key", "our certificate's key"),
    ):
        arguments.add_location(group, option, metavar="PEM", help=what)
    arguments.add_location(
        group, "--token-file", metavar="FILE",
        help="a bearer token, sent with each call; a line break at its end is left out",
    )  # fmt: skip


def of(args: argparse.Namespace) -> ServerAddress | None:
    """What the arguments name; None without `--server`.

    Raises UsageError where they protect a connection that there is not, or do not fit together.
    """
    from serving.client.connection import Security

    protects = args.tls or any(getattr(args, name) for name in _FILES)
    if args.server is None:
        if protects or args.token_file:
            raise UsageError(
                "expected --server with --tls… and --token-file, received these alone; name the "
                "server, or leave them out"
            )
        return None
    security = Security(
        tls=protects,
        root_certificates=args.tls_roots,
        certificate=args.tls_certificate,
        key=args.tls_key,
        token=_token(args.token_file),
    )
    return ServerAddress(args.server, security)


def _token(path: pathlib.Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"expected a readable token in {path}, received: {error}; give the path of one"
        ) from error
