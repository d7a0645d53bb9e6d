"""One line per stage: name, what was last heard of its progress, seconds."""

import contextlib
import logging
import time
from collections.abc import Iterator

from rich.console import Console
from rich.status import Status

EVERY_SECONDS = 30.0
_progress = logging.getLogger("tandem.progress")


class StageLines(logging.Handler):
    """Listens to the `tandem.progress` logger while a stage runs.

    On a terminal the line of the running stage moves. Elsewhere one line says that a stage begins,
    one every `EVERY_SECONDS` how far it is, and one what it took.
    """

    def __init__(self, console: Console):
        super().__init__(logging.INFO)
        self._console = console
        self._status: Status | None = None
        self._name = ""
        self._heard = ""
        self._shown_at = 0.0

    def started(self, name: str) -> None:
        """A stage begins."""
        self._name, self._heard = name, ""
        if self._console.is_terminal:
            self._status = self._console.status(name)
            self._status.start()
        else:
            self._write("…")

    def finished(self, seconds: float, cached: bool) -> None:
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
        elif time.monotonic() - self._shown_at >= EVERY_SECONDS:
            self._write("…")

    def _write(self, took: str) -> None:
        self._shown_at = time.monotonic()
        line = f"  {self._name:<30} {took:>9}  {self._heard}".rstrip()
        self._console.print(line, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def listening(console: Console) -> Iterator[StageLines]:
    """Lines on `console` that hear progress while it lasts."""
    lines = StageLines(console)
    _progress.addHandler(lines)
    _progress.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        lines.stop()
        _progress.removeHandler(lines)
