"""`tandem refresh`: adds new items and current popularity to the models, without training."""

import argparse
import json
from typing import Any

from pipeline.cli import arguments
from schema.storage.locations import parse_readable

SUMMARY = "add new and changed items and current popularity to the pushed models"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    arguments.add_root_location(parser, "folder or URL of a finished run", required=True)
    arguments.add_location(
        parser, "--items", parse_readable, required=True, metavar="NEW", nargs="+",
        help="file, folder or glob of new and changed items, in the format of the run's catalogue; "
        "of several tables, one for each in the order of the configuration",
    )  # fmt: skip
    arguments.add_location(
        parser, "--events", parse_readable, metavar="NEW", nargs="+", default=[],
        help="file, folder or glob of events, in the format of the run's log, one for each of its "
        "tables; known events count once. Without it, popularity stays the same",
    )  # fmt: skip
    arguments.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the new version, the changes in it and the recall of its index."""
    from pipeline.commands import refresh
    from pipeline.commands.refresh_catalogue import RefreshInputs
    from pipeline.config.config import Config
    from pipeline.console import redirect_output
    from pipeline.run_root import load_summary, open_root

    inputs = RefreshInputs(args.items, args.events)
    config = Config.model_validate(load_summary(args.root).config)
    with open_root(args.root) as run_root, redirect_output(run_root.log) as (out, _):
        result = refresh.refresh(run_root, config, inputs)
        out.write((json.dumps(result, indent=1) if args.json else _format_text(result)) + "\n")
    return 0


def _format_text(result: dict[str, Any]) -> str:
    items, index, popular = result["items"], result["index"], result["popularity"]
    rejected = sum(table["rejected"] for table in result["rows"].values())
    now = f", popularity with {popular['new_events']:,} more events" if popular else ""
    if popular and popular.get("stragglers"):
        now += f" and without {popular['stragglers']:,} far beyond all others in time"
    return (
        f"pushed version {result['version']}, refreshed from {result['refreshed_from']}: "
        f"{items['added']:,} new and {items['changed']:,} changed items of {items['total']:,}"
        f"{now}; {rejected:,} records rejected; {index['kind']} index, "
        f"ANN recall@100 {index['ann_recall@100']:.3f}; {result['seconds']['total']:.1f} s"
    )
