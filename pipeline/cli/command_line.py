"""The command line: `tandem VERB …`.

Exit codes: 0 done, 1 our bug, 2 usage or configuration (training that diverges among it), 3 data
refused, 4 model not blessed, 130 interrupted, 141 what read the output has gone.
"""

import argparse
import importlib
import os
import pkgutil
import sys
import warnings

from pipeline import standard_output
from pipeline.cli import verbs as verb_modules
from pipeline.verb_parser import VerbParser
from schema.errors import TandemError


def main(argv: list[str] | None = None) -> int:
    """Parses, dispatches and turns every error that we raise on purpose into its exit code."""
    os.environ["TF_USE_LEGACY_KERAS"] = (
        "1"  # TFRS and TFX need Keras 2; read when TensorFlow is first imported
    )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # gRPC's core writes lines of its own about failures that it raises as well.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # google.api_core says on each import that Python 3.10 is old; the version set wants it so.
    warnings.filterwarnings("ignore", "You are using a non-supported Python", FutureWarning)
    try:
        return _run(argv)
    except TandemError as error:
        print(f"tandem: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(
            "tandem: interrupted; finished stages are kept and the next run goes on from there",
            file=sys.stderr,
        )
        return 130


def _run(argv: list[str] | None) -> int:
    standard_output.open_closed()
    try:
        args = parser().parse_args(argv)
        code = args.run(args)
        print(end="", flush=True)  # what cannot be written is known while it can be named
        return code
    except OSError as error:
        return standard_output.ended(error)


def parser() -> argparse.ArgumentParser:
    """What the command line takes: a verb, and that verb's arguments."""
    whole = argparse.ArgumentParser(
        prog="tandem",
        description="Raw interaction logs and a catalogue in, a served two-stage recommender out.",
    )
    verbs = whole.add_subparsers(
        dest="verb", metavar="VERB", required=True, parser_class=VerbParser
    )
    for name in sorted(found.name for found in pkgutil.iter_modules(verb_modules.__path__)):
        module = importlib.import_module(f"{verb_modules.__name__}.{name}")
        verb = verbs.add_parser(name, help=module.SUMMARY, description=module.SUMMARY)
        module.configure(verb)
        verb.set_defaults(run=module.run)
    return whole
