"""One line per stage: name, what was last heard of its progress, seconds."""

import contextlib
import logging
from collections.abc import Iterator

from rich.console import Console
from rich.status import Status

_progress = logging.getLogger("tandem.progress")


class StageLines(logging.Handler):
    """Listens to the `tandem.progress` logger while a stage runs.

    On a terminal the line of the running stage moves; elsewhere only finished stages are written.
    """

    def __init__(self, console: Console):
        super().__init__(logging.INFO)
        self._console = console
        self._status: Status | None = None
        self._name = ""
        self._heard = ""

    def started(self, name: str) -> None:
        """A stage begins."""
        self._name, self._heard = name, ""
        if self._console.is_terminal:
            self._status = self._console.status(name)
            self._status.start()

    def finished(self, seconds: float, cached: bool) -> None:
        """The stage has ended well."""
        self.stop()
        took = "cached" if cached else f"{seconds:.1f} s"
        self._console.print(
            f"  {self._name:<30} {took:>9}  {self._heard}", highlight=False, soft_wrap=True
        )

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
