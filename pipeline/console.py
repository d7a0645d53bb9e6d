"""Terminal output of a run: a line per stage (name, latest progress, seconds), and a line per trial
of a search. All output of libraries to stdout, stderr and logging is written to a file.
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
    """Shows the records of the `tandem.progress` logger while stages run.

    On a terminal, one line with all stages that run is updated in place. Elsewhere a line is
    printed when a stage begins, at most one every `PROGRESS_INTERVAL_SECONDS` with its progress,
    and one with its duration. A record belongs to the stage that its `stage` names, and without it
    to the latest one.
    """

    def __init__(self, console: Console):
        super().__init__(logging.INFO)
        self._console = console
        self._status: Status | None = None
        self._messages: dict[str, str] = {}
        """Latest progress of each stage that runs."""
        self._shown_at: dict[str, float] = {}

    def start_stage(self, name: str) -> None:
        """Shows that a stage begins."""
        self._messages[name] = ""
        if self._console.is_terminal:
            self._update()
        else:
            self._write(name, "…")

    def finish_stage(self, name: str, seconds: float, cached: bool) -> None:
        """Shows that the stage has succeeded, after `seconds` or from the cache."""
        self.stop()
        self._write(name, "cached" if cached else f"{seconds:.1f} s")
        del self._messages[name]
        if self._messages and self._console.is_terminal:
            self._update()

    def stop(self) -> None:
        """Removes the line that is updated in place, if there is one."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the progress record as the latest one of its stage and shows it."""
        name = getattr(record, "stage", None) or next(reversed(self._messages), "")
        self._messages[name] = record.getMessage()
        if self._console.is_terminal:
            self._update()
        elif time.monotonic() - self._shown_at.get(name, 0.0) >= PROGRESS_INTERVAL_SECONDS:
            self._write(name, "…")

    def _update(self) -> None:
        text = "  ·  ".join(f"{name}  {text}".rstrip() for name, text in self._messages.items())
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)

    def _write(self, name: str, duration: str) -> None:
        self._shown_at[name] = time.monotonic()
        line = f"  {name:<30} {duration:>9}  {self._messages[name]}".rstrip()
        self._console.print(line, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def show_stages(console: Console) -> Iterator[StageLines]:
    """Shows stages and their progress on `console` inside the block."""
    lines = StageLines(console)
    _progress.addHandler(lines)
    _progress.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        lines.stop()
        _progress.removeHandler(lines)


class TrialLines(logging.Handler):
    """Prints each record as a permanent line above the line of the running stage."""

    def __init__(self, console: Console):
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Prints the record as one line."""
        self._console.print(f"    {record.getMessage()}", highlight=False, soft_wrap=True)


@contextlib.contextmanager
def print_trials(console: Console) -> Iterator[None]:
    """Prints trials on `console` inside the block."""
    handler = TrialLines(console)
    _trials.addHandler(handler)
    try:
        yield
    finally:
        _trials.removeHandler(handler)


@contextlib.contextmanager
def redirect_output(path: pathlib.Path) -> Iterator[tuple[TextIO, TextIO]]:
    """Redirects stdout, stderr and logging to the file at `path`; yields the original stdout and
    stderr, for output to the user.

    File descriptors are redirected, so that the output of C++ libraries and child processes is
    captured as well. Handlers of the root logger that write to stdout or stderr (from a library's
    `logging.basicConfig`) are removed inside the block, so that each record is written only once.
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
