"""The command line, `tandem VERB …`: its parser, and the exit code of a verb, also when standard
output fails because its reader is closed or the disk is full.

Exit codes: 0 success, 1 a defect of Tandem or a failure without a code of its own, 2 usage or
configuration (including training that diverges), 3 data refused, 4 model not blessed,
130 interrupted, 141 the reader of the output has closed it.
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
"""The exit code that a shell reports for a process that SIGPIPE ended: `tandem ops … | head` is no
error."""
_STDOUT = 1
_FULL = (errno.ENOSPC, errno.EDQUOT)


def main(argv: list[str] | None = None) -> int:
    """Runs the verb that `argv` names; returns its exit code, or that of a TandemError."""
    os.environ["TF_USE_LEGACY_KERAS"] = (
        "1"  # TFRS and TFX need Keras 2; read when TensorFlow is first imported
    )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # gRPC's core logs failures that it also raises.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # google.api_core warns on each import that Python 3.10 is old; TFX requires it.
    warnings.filterwarnings("ignore", "You are using a non-supported Python", FutureWarning)
    try:
        return _run_verb(argv)
    except TandemError as error:
        print(f"tandem: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(
            "tandem: interrupted; finished stages are kept, and the next run resumes after them",
            file=sys.stderr,
        )
        return 130


def _run_verb(argv: list[str] | None) -> int:
    open_closed_streams()
    try:
        args = build_parser().parse_args(argv)
        code = args.run(args)
        print(end="", flush=True)  # a failing write raises here, where it can be reported
        return code
    except OSError as error:
        return handle_output_error(error)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all verbs and their arguments."""
    parser = argparse.ArgumentParser(
        prog="tandem",
        description="Turn interaction logs and a catalogue into a served two-stage recommender.",
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
    """An ArgumentParser that accepts values with a leading dash: `--user -KxYz`.

    An id may begin with any character. argparse treats every word with a leading dash as an option,
    known or not, so `--user` would have no value.
    """

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Like argparse, after `join_values`."""
        return super().parse_known_args(self.join_values(args or []), namespace)

    def join_values(self, words: Sequence[str]) -> list[str]:
        """Joins `--option`, `-value` to `--option=-value` if the option has one value and `-value`
        is no option of the verb.
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
    """Opens stdout and stderr on /dev/null if the process was started with them closed, as some
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
    """READER_GONE if `error` means that the reader of stdout has closed it. Raises UsageError for a
    full disk, and every other error again.
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
    """Discards what stdout has buffered, which Python would write again at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDOUT)
    os.close(nowhere)
