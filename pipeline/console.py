"""What people see of a run: a line per stage (name, latest progress, seconds), and a line per trial
of a search. Everything that libraries write to stdout, stderr and logging goes into a file instead.
"""

import contextlib
import logging
import os
import pathlib
import sys
import time
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.status import Status

PROGRESS_INTERVAL_SECONDS = 30.0
_progress = logging.getLogger("tandem.progress")
_trials = logging.getLogger("tandem.progress.trials")


class StageLines(logging.Handler):
    """Listens to the `tandem.progress` logger while a stage runs.

    On a terminal the line of the running stage moves. Elsewhere one line says that a stage begins,
    one every `PROGRESS_INTERVAL_SECONDS` how far it is, and one what it took.
    """

    def __init__(self, console: Console):
        super().__init__(logging.INFO)
        self._console = console
        self._status: Status | None = None
        self._name = ""
        self._heard = ""
        self._shown_at = 0.0

    def start_stage(self, name: str) -> None:
        """A stage begins."""
        self._name, self._heard = name, ""
        if self._console.is_terminal:
            self._status = self._console.status(name)
            self._status.start()
        else:
            self._write("…")

    def finish_stage(self, seconds: float, cached: bool) -> None:
        """The stage has ended well."""
        self.stop()
        self._write("cached" if cached else f"{seconds:.1f} s")

    def stop(self) -> None:
        """Takes the moving line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def emit(self, record: logging.LogRecord) -> None:
        """Remembers the latest progress record and shows it."""
        self._heard = record.getMessage()
        if self._status is not None:
            self._status.update(f"{self._name}  {self._heard}")
        elif time.monotonic() - self._shown_at >= PROGRESS_INTERVAL_SECONDS:
            self._write("…")

    def _write(self, took: str) -> None:
        self._shown_at = time.monotonic()
        line = f"  {self._name:<30} {took:>9}  {self._heard}".rstrip()
        self._console.print(line, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def show_stages(console: Console) -> Iterator[StageLines]:
    """Lines on `console` that hear progress while it lasts."""
    lines = StageLines(console)
    _progress.addHandler(lines)
    _progress.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        lines.stop()
        _progress.removeHandler(lines)


class TrialLines(logging.Handler):
    """Prints each record; the lines stay, while the line of the stage below them moves."""

    def __init__(self, console: Console):
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        self._console.print(f"    {record.getMessage()}", highlight=False, soft_wrap=True)


@contextlib.contextmanager
def print_trials(console: Console) -> Iterator[None]:
    """While it lasts, trials are printed."""
    handler = TrialLines(console)
    _trials.addHandler(handler)
    try:
        yield
    finally:
        _trials.removeHandler(handler)


@contextlib.contextmanager
def redirect_output(path: pathlib.Path) -> Iterator[tuple[TextIO, TextIO]]:
    """Yields what stdout and stderr were, for what people are to see.

    File descriptors are redirected, so that C++ libraries and child processes are caught too. What
    is logged stands in the file once: handlers of the root logger that write to stdout or stderr
    (a library's `logging.basicConfig`) rest meanwhile.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    before = root.level
    silenced = [other for other in root.handlers if _writes_to_terminal(other)]
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(path.open("a"))
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        for other in silenced:
            root.removeHandler(other)
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        out, err = (stack.enter_context(os.fdopen(os.dup(fd), "w")) for fd in saved)
        try:
            yield out, err
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(saved[0], 1)
            os.dup2(saved[1], 2)
            for fd in saved:
                os.close(fd)
            root.removeHandler(handler)
            for other in silenced:
                root.addHandler(other)
            handler.close()
            root.setLevel(before)


def _writes_to_terminal(handler: logging.Handler) -> bool:
    streams = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    return isinstance(handler, logging.StreamHandler) and handler.stream in streams
