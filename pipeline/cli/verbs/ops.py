"""`tandem ops`: the ops of each pushed model, and which of them a stock TensorFlow Serving
lacks.
"""

import argparse
import json
import pathlib
import textwrap
from typing import TYPE_CHECKING

from pipeline.cli import arguments

if TYPE_CHECKING:
    from serving.graph.saved_models import OpList

SUMMARY = "list the ops of the pushed models, and whether TensorFlow Serving has them"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    arguments.add_root_location(parser, "folder or URL of a finished run", required=True)
    arguments.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the newest version of each model with its ops."""
    from schema.errors import NoRunError
    from serving.versions.store import open_version_store

    location = f"{args.root}/serving"
    with open_version_store(location).follow() as serving_dir:
        models = _read_ops(serving_dir)
    if not models:
        raise NoRunError(
            f"expected pushed models in {location}, found none; run `tandem run` with the same "
            "--root first"
        )
    if args.json:
        listing = {
            name: {"version": version, **vars(ops)} for name, (version, ops) in models.items()
        }
        print(json.dumps(listing, indent=1))
    else:
        for name, (version, ops) in models.items():
            print(_format_text(name, version, ops))
    return 0


def _read_ops(serving_dir: pathlib.Path) -> dict[str, tuple[int, "OpList"]]:
    from serving.graph.saved_models import read_op_list
    from serving.versions.local import LocalVersionStore

    store, models = LocalVersionStore(serving_dir), {}
    for name in store.list_models():
        version = store.find_latest(name) or 0
        models[name] = version, read_op_list(store.get_folder(name, version))
    return models


def _format_text(name: str, version: int, ops: "OpList") -> str:
    others = ", ".join(ops.others) or "none: a stock TensorFlow Serving loads it"
    own = textwrap.fill(" ".join(ops.tensorflow), 100, initial_indent="  ", subsequent_indent="  ")
    return (
        f"{name} {version}: {len(ops.tensorflow)} ops of TensorFlow\n{own}\n  of others: {others}"
    )
