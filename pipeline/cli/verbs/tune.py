"""`tandem tune`: searches hyper-parameters of retrieval."""

import argparse

from pipeline.cli import arguments

SUMMARY = "search hyper-parameters of retrieval, and write a TOML for `tandem run`"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    arguments.add_config(parser, "the TOML; [tune] declares the ranges")
    arguments.add_data(parser)
    arguments.add_root(parser, "folder of the run, finished or new")
    arguments.add_location(
        parser, "--out", metavar="FILE",
        help="the TOML to write (default: tuned.toml in --root)",
    )  # fmt: skip
    arguments.add_json(parser, "print the results as JSON alone")


def run(args: argparse.Namespace) -> int:
    """Prints a line per stage and per trial, and the best values."""
    from pipeline.commands.tune import TuneRequest, tune

    tune(TuneRequest(args.config, args.data, args.root, args.out, args.overrides, args.json))
    return 0
