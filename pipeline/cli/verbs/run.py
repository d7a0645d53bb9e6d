"""`tandem run`: the whole pipeline, from logs to pushed models."""

import argparse

from pipeline.cli import arguments
from schema.errors import UsageError

SUMMARY = "run the whole pipeline on your logs and push the models"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    arguments.add_config(parser)
    arguments.add_data_location(parser)
    arguments.add_root_location(parser, "folder or URL of the run's outputs", required=True)
    parser.add_argument(
        "--force-push", metavar="WHY",
        help="push models that fail evaluation, and record this reason and your user name",
    )  # fmt: skip
    arguments.add_json(parser, "print summary.json alone on stdout")


def run(args: argparse.Namespace) -> int:
    """Prints a line per stage and a report, or the summary as JSON."""
    reason = _check_reason(args.force_push)
    from pipeline.commands.run import run_locally

    run_locally(args.config, args.data, args.root, args.overrides, args.json, reason)
    return 0


def _check_reason(reason: str | None) -> str | None:
    if reason is not None and not reason.strip():
        raise UsageError(
            "--force-push expects the reason, received an empty one; state why models that "
            "fail evaluation should be pushed"
        )
    return reason
