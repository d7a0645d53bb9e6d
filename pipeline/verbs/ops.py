"""`tandem ops`: the ops of each pushed model, and whether a stock TensorFlow Serving has them."""

import argparse
import json
import textwrap
from typing import TYPE_CHECKING

from pipeline import verb_arguments

if TYPE_CHECKING:
    from serving.op_list import OpList

SUMMARY = "list the ops of the pushed models: does a stock TensorFlow Serving load them"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    verb_arguments.add_root(parser)
    verb_arguments.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the newest version of each model with its ops."""
    from pipeline.run_directory import RunDirectory
    from schema.errors import NoRunError
    from serving import op_list, pushed_versions

    serving_dir = RunDirectory(args.root.absolute()).serving
    found = {}
    for name in pushed_versions.models(serving_dir):
        version = pushed_versions.latest(serving_dir, name) or 0
        ops = op_list.read(pushed_versions.folder_of(serving_dir, name, version))
        found[name] = {"version": version, "tensorflow": ops.tensorflow, "others": ops.others}
        if not args.json:
            print(_words(name, version, ops))
    if not found:
        raise NoRunError(
            f"expected pushed models in {serving_dir}, found none; run `tandem run` with the same "
            "--root first"
        )
    if args.json:
        print(json.dumps(found, indent=1))
    return 0


def _words(name: str, version: int, ops: "OpList") -> str:
    others = ", ".join(ops.others) or "none: a stock TensorFlow Serving loads it"
    own = textwrap.fill(" ".join(ops.tensorflow), 100, initial_indent="  ", subsequent_indent="  ")
    return (
        f"{name} {version}: {len(ops.tensorflow)} ops of TensorFlow\n{own}\n  of others: {others}"
    )
