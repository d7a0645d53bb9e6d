"""Arguments that several verbs share: configuration, data, root, and `--server` with the security
of its connection.
"""

import argparse
import math
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from schema.errors import UsageError
from schema.storage.locations import is_remote, parse_local, parse_location, parse_readable

if TYPE_CHECKING:
    from pipeline.commands.recommend import ServerAddress

_TLS_FILES = ("tls_roots", "tls_certificate", "tls_key")


class _LocationAction(argparse.Action):
    """Parses one path or URL, or several, with `parse`; a UsageError names the argument."""

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
            many = isinstance(values, list)
            parsed = [self._parse(value) for value in values] if many else self._parse(values)
            setattr(namespace, self.dest, parsed)
        except UsageError as error:
            raise UsageError(f"{option_string or self.dest}: {error}") from error


def add_location(
    parser: "argparse._ActionsContainer",
    option: str,
    parse: Callable[[str], object] = parse_local,
    **settings: Any,
) -> None:
    """Adds an option for a path or URL.

    Args:
        parser: Parser or group to add it to.
        option: Its name, such as `--data`.
        parse: Function from the text to the value, by default to a pathlib.Path of this machine.
        settings: Further arguments of `add_argument`.
    """
    parser.add_argument(option, action=_LocationAction, parse=parse, **settings)


def add_config(
    parser: argparse.ArgumentParser,
    text: str = "the TOML (docs/CONFIG.md)",
    required: bool = True,
) -> None:
    """Adds `--config`, a path in args.config, and `--set`, `section.key=value` in
    args.overrides.
    """
    add_location(parser, "--config", required=required, help=text)
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides",
        help="override one key of the configuration; may be repeated",
    )  # fmt: skip


def add_data(parser: argparse.ArgumentParser) -> None:
    """Adds `--data`: args.data is a path or None."""
    add_location(
        parser, "--data", help="folder that the TOML's paths start from (default: its own folder)"
    )


def add_data_location(parser: argparse.ArgumentParser) -> None:
    """Adds `--data`: args.data is an absolute path, a URL or None."""
    text = "folder or URL that the TOML's paths start from (default: its own folder)"
    add_location(parser, "--data", lambda text: _make_absolute(parse_readable(text)), help=text)


def add_root(parser: argparse.ArgumentParser, text: str = "folder of a finished run") -> None:
    """Adds `--root`: args.root is a path."""
    add_location(parser, "--root", required=True, help=text)


def add_root_location(parser: "argparse._ActionsContainer", text: str, required: bool) -> None:
    """Adds `--root`: args.root is an absolute path or a URL; None if absent and not required."""
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
    """Adds `--json`: args.json is true or false."""
    parser.add_argument("--json", action="store_true", help=text)


def add_diversity(parser: argparse.ArgumentParser) -> None:
    """Adds `--diversity`: args.diversity is a number from 0 to 1, or None."""
    parser.add_argument(
        "--diversity", type=_parse_diversity, metavar="X",
        help="how different a list's items are, from 0 to 1 (default: recommend.diversity)",
    )  # fmt: skip


def _parse_diversity(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise UsageError(f"--diversity expects a number from 0 to 1, received {text!r}; correct it")
    return value


def add_server(parser: argparse.ArgumentParser, text: str) -> None:
    """Adds `--server` with the help `text`, and the options for the security of its connection."""
    parser.add_argument("--server", metavar="HOST:PORT", help=text)
    group = parser.add_argument_group("connection to --server")
    group.add_argument(
        "--tls", action="store_true", help="use TLS (implied by the next three options)"
    )
    for option, description in (
        ("--tls-roots", "root certificates of the server"),
        ("--tls-certificate", "certificate of this client, for mutual TLS"),
        ("--tls-key", "key of this client's certificate"),
    ):
        add_location(group, option, metavar="PEM", help=description)
    add_location(
        group, "--token-file", metavar="FILE",
        help="bearer token for each call; a line break at its end is ignored",
    )  # fmt: skip


def parse_server(args: argparse.Namespace) -> "ServerAddress | None":
    """The server that the arguments of `add_server` name; None without `--server`.

    Raises UsageError for security options without `--server`, or that contradict each other.
    """
    from pipeline.commands.recommend import ServerAddress
    from serving.client.connection import Security

    has_security = args.tls or any(getattr(args, name) for name in _TLS_FILES)
    if args.server is None:
        if has_security or args.token_file:
            raise UsageError(
                "expected --server with --tls… and --token-file, received these alone; add "
                "--server or remove them"
            )
        return None
    security = Security(
        tls=has_security,
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
            f"expected a readable token in {path}, received: {error}; give another file"
        ) from error
