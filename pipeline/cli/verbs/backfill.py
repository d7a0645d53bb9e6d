"""`tandem backfill`: runs the pipeline for each day of a past period."""

import argparse

from pipeline.cli import arguments

SUMMARY = "run the pipeline for each day of a period, and measure the value of retraining"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    arguments.add_config(parser, "the TOML, with {SPAN} in the path of the events")
    arguments.add_data(parser)
    arguments.add_root(parser, "folder of the outputs of all days, new or partly finished")
    for name, text in (("from", "first"), ("to", "last")):
        parser.add_argument(
            f"--{name}", required=True, metavar="SPAN", dest=text,
            help=f"{text} day: a date such as 2024-01-31, or a number",
        )  # fmt: skip
    arguments.add_json(parser, "print backfill.json alone on stdout")


def run(args: argparse.Namespace) -> int:
    """Prints a line per day and a table of all of them."""
    from pipeline.commands.backfill import BackfillRequest, backfill

    backfill(
        BackfillRequest(
            args.config, args.data, args.root, args.first, args.last, args.overrides, args.json
        )
    )
    return 0
