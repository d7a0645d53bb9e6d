"""The command line, `tandem VERB …`: its parser, and how a verb ends, also where standard output
cannot be written because its reader has gone or its disk is full.

Exit codes: 0 done, 1 our bug, 2 usage or configuration (training that diverges among it), 3 data
refused, 4 model not blessed, 130 interrupted, 141 the reader of the output has gone.
"""

import argparse
import errno
import importlib
import os
import pkgutil
import select
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from pipeline.cli import verbs as verb_modules
from schema.errors import TandemError, UsageError

READER_GONE = 141
"""The exit code that a shell reports of a process ended by SIGPIPE: `tandem ops … | head` is no
error."""
_STDOUT = 1
_FULL = (errno.ENOSPC, errno.EDQUOT)


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
        return _run_verb(argv)
    except TandemError as error:
        print(f"tandem: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(
            "tandem: interrupted; finished stages are kept and the next run goes on from there",
            file=sys.stderr,
        )
        return 130


def _run_verb(argv: list[str] | None) -> int:
    open_closed_streams()
    try:
        args = build_parser().parse_args(argv)
        code = args.run(args)
        print(end="", flush=True)  # a failing write shows here, where it can be reported
        return code
    except OSError as error:
        return handle_output_error(error)


def build_parser() -> argparse.ArgumentParser:
    """The parser of a verb and its arguments."""
    parser = argparse.ArgumentParser(
        prog="tandem",
        description="Raw interaction logs and a catalogue in, a served two-stage recommender out.",
    )
    verbs = parser.add_subparsers(
        dest="verb", metavar="VERB", required=True, parser_class=VerbParser
    )
    for name in sorted(verb.name for verb in pkgutil.iter_modules(verb_modules.__path__)):
        module = importlib.import_module(f"{verb_modules.__name__}.{name}")
        verb = verbs.add_parser(name, help=module.SUMMARY, description=module.SUMMARY)
        module.configure(verb)
        verb.set_defaults(run=module.run)
    return parser


class VerbParser(argparse.ArgumentParser):
    """An ArgumentParser that takes values which begin with a dash: `--user -KxYz`.

    Ids begin with any character. argparse takes every word that begins with a dash for an option,
    known or not, and so would leave `--user` without a value.
    """

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """As in argparse, after `join_values`."""
        return super().parse_known_args(self.join_values(args or []), namespace)

    def join_values(self, words: Sequence[str]) -> list[str]:
        """`--option`, `-value` -> `--option=-value`, where the option has one value and the value
        is itself no option of the verb.
        """
        joined: list[str] = []
        for word in words:
            if joined and self._needs_value(joined[-1]) and self._is_unknown_option(word):
                joined[-1] = f"{joined[-1]}={word}"
            else:
                joined.append(word)
        return joined

    def _needs_value(self, word: str) -> bool:
        action = self._option_string_actions.get(word)
        return action is not None and action.option_strings != [] and action.nargs is None

    def _is_unknown_option(self, word: str) -> bool:
        name = word.partition("=")[0]
        return word.startswith("-") and word != "-" and name not in self._option_string_actions


def open_closed_streams() -> None:
    """Opens stdout and stderr on /dev/null where the process was started with them closed, as some
    daemons do; otherwise the next opened file would get their descriptors.
    """
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            if nowhere != number:
                os.close(nowhere)
            setattr(sys, name, os.fdopen(number, "w", closefd=False))


def handle_output_error(error: OSError) -> int:
    """Exit code of a verb that `error` ended because stdout's reader has gone. Raises UsageError
    where no space is left, and any other error again.
    """
    if isinstance(error, BrokenPipeError) and _is_reader_gone():
        _discard_output()
        return READER_GONE
    if error.errno not in _FULL:
        raise error
    try:
        sys.stdout.flush()
    except OSError:
        _discard_output()
    at = error.filename or "standard output, --root or --out"
    raise UsageError(f"{error.strerror}: {at}; free some space, or write elsewhere") from error


def _is_reader_gone() -> bool:
    poll = select.poll()
    poll.register(_STDOUT, 0)
    return any(events & select.POLLERR for _, events in poll.poll(0))


def _discard_output() -> None:
    """Drops what stdout has buffered, so that it is not written again when the process ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDOUT)
    os.close(nowhere)
