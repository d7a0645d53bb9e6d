"""`tandem tensorboard`: opens TensorBoard on the logs of a run."""

import argparse

from pipeline.cli import arguments

SUMMARY = "open TensorBoard on a run"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    arguments.add_root(parser, "folder of a run")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (default: loopback)")
    parser.add_argument("--port", type=int, default=6006, help="port (default: 6006)")


def run(args: argparse.Namespace) -> int:
    """Replaces this process with TensorBoard; Ctrl-C ends it."""
    import os
    import sys

    from pipeline.run_root import RunRoot
    from schema.errors import NoRunError

    logs = RunRoot(args.root.absolute()).tensorboard
    if not logs.is_dir():
        raise NoRunError(f"expected TensorBoard logs in {logs}, found none; run `tandem run` first")
    command = ["--logdir", str(logs), "--host", args.host, "--port", str(args.port)]
    os.execv(sys.executable, [sys.executable, "-m", "tensorboard.main", *command])
