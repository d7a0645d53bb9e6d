"""Arguments that several verbs have, said once."""

import argparse
import pathlib


def add_config(
    parser: argparse.ArgumentParser,
    text: str = "the TOML (docs/CONFIG.md)",
    required: bool = True,
) -> None:
    """`--config` and `--set`: args.config a path, args.overrides `section.key=value` each."""
    parser.add_argument("--config", type=pathlib.Path, required=required, help=text)
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides",
        help="override one value of the configuration; may be repeated",
    )  # fmt: skip


def add_data(parser: argparse.ArgumentParser) -> None:
    """`--data`: args.data a path, or None."""
    parser.add_argument(
        "--data",
        type=pathlib.Path,
        help="folder that the TOML's paths start from (default: its own)",
    )


def add_root(parser: argparse.ArgumentParser, text: str = "folder of a finished run") -> None:
    """`--root`: args.root a path."""
    parser.add_argument("--root", type=pathlib.Path, required=True, help=text)


def add_json(parser: argparse.ArgumentParser, text: str = "print JSON alone on stdout") -> None:
    """`--json`: args.json true or false."""
    parser.add_argument("--json", action="store_true", help=text)
