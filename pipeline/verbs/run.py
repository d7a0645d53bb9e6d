"""`tandem run`: logs in, served recommender out."""

import argparse
import pathlib

SUMMARY = "run the whole pipeline on your logs and push the models"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument(
        "--config", type=pathlib.Path, required=True, help="the TOML (docs/CONFIG.md)"
    )
    parser.add_argument(
        "--data",
        type=pathlib.Path,
        help="folder that the TOML's paths start from (default: its own)",
    )
    parser.add_argument(
        "--root", type=pathlib.Path, required=True, help="folder of the run's outputs"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides",
        help="override one value of the configuration; may be repeated",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print summary.json alone on stdout")


def run(args: argparse.Namespace) -> int:
    """Prints a line per stage and a report, or the summary as JSON."""
    from pipeline import local_run

    local_run.run(args.config, args.data, args.root, args.overrides, args.json)
    return 0
