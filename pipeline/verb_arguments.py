"""Arguments that several verbs have, said once."""

import argparse
import os
import pathlib

from schema.place import is_remote


def add_config(
    parser: argparse.ArgumentParser,
    text: str = "the TOML (docs/CONFIG.md)",
    required: bool = True,
) -> None:
    """`--config` and `--set`: args.config a path, args.overrides `section.key=value` each."""
    parser.add_argument("--config", type=_path, required=required, help=text)
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides",
        help="override one value of the configuration; may be repeated",
    )  # fmt: skip


def add_data(parser: argparse.ArgumentParser) -> None:
    """`--data`: args.data a path, or None."""
    parser.add_argument(
        "--data", type=folder, help="folder that the TOML's paths start from (default: its own)"
    )


def add_data_anywhere(parser: argparse.ArgumentParser) -> None:
    """`--data`: args.data an absolute path or a URL, or None."""
    parser.add_argument(
        "--data",
        type=_place,
        help="folder or URL that the TOML's paths start from (default: its own folder)",
    )


def add_root(parser: argparse.ArgumentParser, text: str = "folder of a finished run") -> None:
    """`--root`: args.root a path."""
    parser.add_argument("--root", type=folder, required=True, help=text)


def add_root_anywhere(parser: "argparse._ActionsContainer", text: str, required: bool) -> None:
    """`--root`: args.root an absolute path or a URL, or None where it is not required."""
    parser.add_argument("--root", type=_place, required=required, help=text)


def folder(text: str) -> pathlib.Path:
    """For a verb that works on this machine's folders alone."""
    if is_remote(text):
        raise argparse.ArgumentTypeError(
            f"expected a folder of this machine, received {text}: this verb knows no object store"
        )
    return _path(text)


def _place(text: str) -> str:
    if is_remote(text):
        return text.rstrip("/")
    return str(_path(text).absolute())


def _path(text: str) -> pathlib.Path:
    """No shell puts the home in the place of the tilde of `--root=~/runs`."""
    return pathlib.Path(os.path.expanduser(text))


def add_json(parser: argparse.ArgumentParser, text: str = "print JSON alone on stdout") -> None:
    """`--json`: args.json true or false."""
    parser.add_argument("--json", action="store_true", help=text)
