"""Arguments that several verbs have, each declared once: configuration, data, root, and the server
of `--server` with what protects the connection to it.
"""

import argparse
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from schema.errors import UsageError
from schema.storage.locations import is_remote, parse_local, parse_location, parse_readable

if TYPE_CHECKING:
    from pipeline.commands.recommend import ServerAddress

_TLS_FILES = ("tls_roots", "tls_certificate", "tls_key")


class _LocationAction(argparse.Action):
    """An argument that names a path or URL, parsed by `parse`; UsageError names the argument."""

    def __init__(self, parse: Callable[[str], object], **settings: Any):
        super().__init__(**settings)
        self._parse = parse

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        try:
            setattr(namespace, self.dest, self._parse(values))
        except UsageError as error:
            raise UsageError(f"{option_string or self.dest}: {error}") from error


def add_location(
    parser: "argparse._ActionsContainer",
    option: str,
    parse: Callable[[str], object] = parse_local,
    **settings: Any,
) -> None:
    """An option that names a path or URL, by default a pathlib.Path of this machine; `settings` are
    those of argparse.
    """
    parser.add_argument(option, action=_LocationAction, parse=parse, **settings)


def add_config(
    parser: argparse.ArgumentParser,
    text: str = "the TOML (docs/CONFIG.md)",
    required: bool = True,
) -> None:
    """`--config` and `--set`: args.config a path, args.overrides `section.key=value` each."""
    add_location(parser, "--config", required=required, help=text)
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides",
        help="override one key of the configuration; may be repeated",
    )  # fmt: skip


def add_data(parser: argparse.ArgumentParser) -> None:
    """`--data`: args.data a path, or None."""
    add_location(
        parser, "--data", help="folder that the TOML's paths start from (default: its own)"
    )


def add_data_location(parser: argparse.ArgumentParser) -> None:
    """`--data`: args.data an absolute path or a URL, or None."""
    text = "folder or URL that the TOML's paths start from (default: its own folder)"
    add_location(parser, "--data", lambda text: _make_absolute(parse_readable(text)), help=text)


def add_root(parser: argparse.ArgumentParser, text: str = "folder of a finished run") -> None:
    """`--root`: args.root a path."""
    add_location(parser, "--root", required=True, help=text)


def add_root_location(parser: "argparse._ActionsContainer", text: str, required: bool) -> None:
    """`--root`: args.root an absolute path or a URL, or None where it is not required."""
    add_location(
        parser,
        "--root",
        lambda text: _make_absolute(parse_location(text)),
        required=required,
        help=text,
    )


def _make_absolute(location: str) -> str:
    return location if is_remote(location) else str(pathlib.Path(location).absolute())


def add_json(parser: argparse.ArgumentParser, text: str = "print JSON alone on stdout") -> None:
    """`--json`: args.json true or false."""
    parser.add_argument("--json", action="store_true", help=text)


def add_server(parser: argparse.ArgumentParser, text: str) -> None:
    """`--server`, which `text` explains, and what protects the connection to it."""
    parser.add_argument("--server", metavar="HOST:PORT", help=text)
    group = parser.add_argument_group("connection to --server")
    group.add_argument(
        "--tls", action="store_true", help="use TLS (implied by the next three options)"
    )
    for option, what in (
        ("--tls-roots", "root certificates of the server"),
        ("--tls-certificate", "certificate of this client, for mutual TLS"),
        ("--tls-key", "key of this client's certificate"),
    ):
        add_location(group, option, metavar="PEM", help=what)
    add_location(
        group, "--token-file", metavar="FILE",
        help="bearer token for each call; a line break at its end is ignored",
    )  # fmt: skip


def parse_server(args: argparse.Namespace) -> "ServerAddress | None":
    """The server that the arguments of `add_server` name; None without `--server`.

    Raises UsageError where they protect a connection that there is not, or do not fit together.
    """
    from pipeline.commands.recommend import ServerAddress
    from serving.client.connection import Security

    protects = args.tls or any(getattr(args, name) for name in _TLS_FILES)
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
        token=_read_token(args.token_file),
    )
    return ServerAddress(args.server, security)


def _read_token(path: pathlib.Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"expected a readable token in {path}, received: {error}; give the path of one"
        ) from error
