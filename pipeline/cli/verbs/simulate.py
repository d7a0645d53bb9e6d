"""`tandem simulate`: the logs of a simulated shop, and the best result that is possible on them."""

import argparse
import json
import pathlib
from typing import Any

from pipeline.cli import arguments

SUMMARY = "write the logs of a simulated shop, whose best possible result is known"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    parser.add_argument("--users", type=int, required=True, metavar="N", help="number of users")
    parser.add_argument(
        "--items", type=int, required=True, metavar="N", help="size of the catalogue"
    )
    parser.add_argument("--events", type=int, required=True, metavar="N", help="number of events")
    parser.add_argument(
        "--seed", type=int, required=True, metavar="S", help="seed of the random numbers"
    )
    arguments.add_location(
        parser, "--out", required=True, metavar="DIR", help="folder to write into"
    )
    parser.add_argument(
        "--malformed",
        type=int,
        default=0,
        metavar="N",
        help="malformed lines among the events (default: 0)",
    )
    parser.add_argument(
        "--by-day", action="store_true",
        help="one folder of events per date, as in configs/recurring.toml",
    )  # fmt: skip
    arguments.add_json(parser, "print the true figures as JSON alone")


def run(args: argparse.Namespace) -> int:
    """Simulates and prints what truth.json holds."""
    # Imported late, so that `tandem --help` does not wait for numpy.
    from pipeline.simulator.simulate import ShopSize, simulate

    size = ShopSize(args.users, args.items, args.events, args.malformed)
    truth = simulate(args.out, size, seed=args.seed, by_day=args.by_day)
    print(json.dumps(truth) if args.json else _format_table(args.out, truth))
    return 0


def _format_table(out: pathlib.Path, truth: dict[str, Any]) -> str:
    broken = sum(truth["malformed"].values())
    lines = [
        f"{out}: {truth['events']} events and {broken} malformed lines, "
        f"{truth['users']} users, {truth['items']} items",
        f"{'':<12}{'popular':>10}{'ceiling':>10}",
    ]
    for name, best in truth["ceiling"].items():
        lines.append(f"{name:<12}{truth['popular'][name]:>10.4f}{best:>10.4f}")
    return "\n".join(lines)
