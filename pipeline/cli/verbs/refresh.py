"""`tandem refresh`: new items and what is popular now into what is served, without training."""

import argparse
import json
from typing import Any

from pipeline.cli import arguments
from schema.storage.locations import parse_readable

SUMMARY = "take new and changed items, and what is popular now, into the pushed models"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    arguments.add_root_location(parser, "folder or URL of a finished run", required=True)
    arguments.add_location(
        parser, "--items", parse_readable, required=True, metavar="NEW",
        help="file, folder or glob of new and changed items, in the format of the run's catalogue",
    )  # fmt: skip
    arguments.add_location(
        parser, "--events", parse_readable, metavar="NEW",
        help="file, folder or glob of events, in the format of the run's log; those that are known "
        "count once (default: popularity stays as it was pushed)",
    )  # fmt: skip
    arguments.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the new version, what is in it and what its index is worth."""
    from pipeline.commands import refresh
    from pipeline.commands.refresh_catalogue import RefreshInputs
    from pipeline.config.config import Config
    from pipeline.console import redirect_output
    from pipeline.run_root import open_root, read_summary

    given = RefreshInputs(args.items, args.events)
    summary = json.loads(read_summary(args.root))
    config = Config.model_validate(summary["config"])
    with open_root(args.root) as at, redirect_output(at.log) as (out, _):
        done = refresh.refresh(at, config, given)
        out.write((json.dumps(done, indent=1) if args.json else _format_text(done)) + "\n")
    return 0


def _format_text(done: dict[str, Any]) -> str:
    items, index, popular = done["items"], done["index"], done["popularity"]
    rejected = sum(table["rejected"] for table in done["rows"].values())
    now = f", popularity with {popular['new_events']:,} more events" if popular else ""
    if popular and popular.get("stragglers"):
        now += f" and without {popular['stragglers']:,} far beyond all others in time"
    return (
        f"pushed version {done['version']}, refreshed from {done['refreshed_from']}: "
        f"{items['added']:,} new and {items['changed']:,} changed items of {items['total']:,}"
        f"{now}; {rejected:,} records rejected; {index['kind']} index, "
        f"ANN recall@100 {index['ann_recall@100']:.3f}; {done['seconds']['total']:.1f} s"
    )
