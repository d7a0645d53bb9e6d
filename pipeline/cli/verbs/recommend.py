"""`tandem recommend`: recommends items to one user over gRPC."""

import argparse
import json

from pipeline.cli import arguments

SUMMARY = "recommend items to one user, with titles and scores"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    arguments.add_root_location(parser, "folder or URL of a finished run", required=True)
    parser.add_argument("--user", required=True, help="the user's id; an unknown one is a new user")
    parser.add_argument("--k", type=int, default=10, help="number of items (default: 10)")
    parser.add_argument(
        "--category", action="append", default=[], metavar="X", dest="categories",
        help="only items of this category; may be repeated (see data.items.filter)",
    )  # fmt: skip
    arguments.add_diversity(parser)
    arguments.add_server(
        parser, "gRPC address of a running server (default: start a temporary one)"
    )
    arguments.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the list, best first."""
    from pipeline.commands import recommend
    from pipeline.report import terminal
    from pipeline.report.recommendations import ListOptions
    from schema.errors import UsageError

    if args.k < 1:
        raise UsageError(f"--k expects a positive number, received {args.k}; raise it")
    server = arguments.parse_server(args)
    options = ListOptions(args.k, args.categories, args.diversity)
    answer = recommend.recommend(args.root, args.user, server, options)
    if args.json:
        print(json.dumps(answer.to_json(), indent=1, ensure_ascii=False))
    else:
        terminal.print_recommendations(answer)
    return 0
