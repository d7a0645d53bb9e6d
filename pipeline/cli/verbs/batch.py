"""`tandem batch`: ranked lists for many users at once, without a server or from one."""

import argparse
import json

from pipeline.cli import arguments
from schema.storage.locations import parse_local

SUMMARY = "write ranked lists for many users at once"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    arguments.add_root_location(parser, "folder or URL of a finished run", required=True)
    arguments.add_location(
        parser, "--users", _parse_users, required=True, metavar="FILE|all",
        help="file of user ids, one per line (an unknown id is a new user), or all users of the "
        "run (by pseudonym if it hashed their ids)",
    )  # fmt: skip
    parser.add_argument("--k", type=int, default=100, help="length of a list (default: 100)")
    arguments.add_location(
        parser, "--out", required=True, metavar="LISTS",
        help='JSON lines to write: {"user_id": …, "item_ids": [best, next, …]}',
    )  # fmt: skip
    parser.add_argument(
        "--stage", choices=("final", "retrieval"),
        help="order of the lists: after ranking, or retrieval's (default: the served order)",
    )  # fmt: skip
    parser.add_argument(
        "--as-of", choices=("test",),
        help="write the lists of the time at which the test split began (default: now)",
    )  # fmt: skip
    arguments.add_diversity(parser)
    arguments.add_server(parser, "send requests to this server instead of loading the run's models")
    arguments.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the number of lists, their stage and the throughput."""
    import time

    from pipeline.commands import batch

    server = arguments.parse_server(args)
    request = batch.BatchRequest(
        args.users, args.k, args.stage, args.as_of == "test", args.diversity, server
    )
    result = batch.write_lists(args.root, request, args.out, int(time.time()))
    print(json.dumps(result, indent=1, ensure_ascii=False) if args.json else _format_text(result))
    return 0


def _parse_users(text: str) -> str:
    return text if text == "all" else str(parse_local(text).absolute())


def _format_text(result: dict) -> str:
    repeated = result["repeated_lines"]
    return (
        f"{result['users']:,} lists ({result['stage']}) in {result['out']}: "
        f"{result['without_history']:,} for users without history"
        + (f", {repeated:,} repeated lines skipped" if repeated else "")
        + f"; {result['users_per_second']:,.0f} users per second"
    )
