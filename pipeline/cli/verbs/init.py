"""`tandem init`: a first configuration for the files of a folder."""

import argparse
import json
import shlex
from typing import TYPE_CHECKING

from pipeline.cli import arguments

if TYPE_CHECKING:
    from pipeline.commands.init import Initialised

SUMMARY = "look at the files of a folder and write a first configuration that reads them"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    arguments.add_location(
        parser, "--data", required=True, metavar="FOLDER", help="folder of the files"
    )
    arguments.add_location(
        parser, "--out", metavar="TOML", help="file to write (default: FOLDER's name with .toml)"
    )
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    arguments.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Writes the file; prints the tables, what is unsure or missing, and what to run next."""
    from pipeline.commands.init import write_first_config

    done = write_first_config(args.data, args.out, args.force)
    places = ["--config", done.path, "--data", args.data, "--root", f"runs/{done.name}"]
    command = shlex.join(["tandem", "run", *map(str, places)])
    if args.json:
        print(json.dumps(done.to_json() | {"next": command}, indent=2))
        return 0
    _print_tables(done)
    if done.missing:
        print(f"missing: {done.missing}")
    if done.recipes:
        print(f"a complete recipe fits these files too: tandem recipes {done.recipes[0]}")
    print(f"wrote {done.path}; read its comments, then")
    print(f"next: {command}")
    return 0


def _print_tables(done: "Initialised") -> None:
    for table in done.draft.tables:
        keys = {key: value for key, value in table.keys.items() if key not in ("path", "columns")}
        shown = ", ".join(f"{key} = {value!r}" for key, value in keys.items())
        print(f"{table.kind}: {table.keys['path']}" + (f" ({shown})" if shown else ""))
        for doubt in table.doubts:
            print(f"  unsure: {doubt}")
    for table in done.draft.more_events:
        print(f"not read: {table.keys['path']}, which has users and items too")
    for path, what in done.draft.others.items():
        print(f"not read: {path}: {what}")
