"""`tandem fetch`: downloads a public data set and verifies its checksum."""

import argparse
import pathlib

from pipeline.cli import arguments
from schema.errors import UsageError

SUMMARY = "download a public data set: movielens-1m"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    parser.add_argument("name", metavar="NAME", help="movielens-1m")
    arguments.add_location(
        parser, "--out", metavar="DIR", help="folder to write into (default: runs/NAME/data)"
    )


def run(args: argparse.Namespace) -> int:
    """Fetches, then prints the files and how to use them."""
    from pipeline.commands.fetch import ARCHIVES, fetch_archive

    if args.name not in ARCHIVES:
        raise UsageError(f"expected one of {', '.join(ARCHIVES)}, received {args.name!r}; name one")
    archive = ARCHIVES[args.name]
    out = args.out or pathlib.Path("runs") / args.name / "data"
    print(f"downloading {archive.url}", flush=True)
    for path in fetch_archive(archive, out):
        print(f"{path}: {path.stat().st_size} bytes")
    print(f"next: tandem recipes {args.name} > {args.name}.toml")
    print(f"      tandem run --config {args.name}.toml --data {out} --root {out.parent}")
    return 0
