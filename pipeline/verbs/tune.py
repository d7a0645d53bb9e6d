"""`tandem tune`: the search for retrieval's hyper-parameters."""

import argparse
import pathlib

SUMMARY = "search retrieval's hyper-parameters on valid and write a TOML for `tandem run`"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument(
        "--config", type=pathlib.Path, required=True, help="the TOML; [tune] declares the ranges"
    )
    parser.add_argument(
        "--data",
        type=pathlib.Path,
        help="folder that the TOML's paths start from (default: its own)",
    )
    parser.add_argument(
        "--root", type=pathlib.Path, required=True, help="folder of the run, finished or new"
    )
    parser.add_argument(
        "--out", type=pathlib.Path, metavar="FILE",
        help="the TOML to write (default: tuned.toml in --root)",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides",
        help="override one value of the configuration; may be repeated",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print what was found as JSON alone")


def run(args: argparse.Namespace) -> int:
    """Prints a line per stage and per trial, and the best values."""
    from pipeline.tune import Asked, tune

    tune(Asked(args.config, args.data, args.root, args.out, args.overrides, args.json))
    return 0
