"""`tandem run`: logs in, served recommender out."""

import argparse

from pipeline import verb_arguments

SUMMARY = "run the whole pipeline on your logs and push the models"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    verb_arguments.add_config(parser)
    verb_arguments.add_data(parser)
    verb_arguments.add_root(parser, "folder of the run's outputs")
    verb_arguments.add_json(parser, "print summary.json alone on stdout")


def run(args: argparse.Namespace) -> int:
    """Prints a line per stage and a report, or the summary as JSON."""
    from pipeline import local_run

    local_run.run(args.config, args.data, args.root, args.overrides, args.json)
    return 0
