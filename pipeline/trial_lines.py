"""A line for each trial of a search, as it ends."""

import contextlib
import logging
from collections.abc import Iterator

from rich.console import Console

_trials = logging.getLogger("tandem.progress.trials")


class TrialLines(logging.Handler):
    """Prints each record; the lines stay, while the line of the stage below them moves."""

    def __init__(self, console: Console):
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        self._console.print(f"    {record.getMessage()}", highlight=False, soft_wrap=True)


@contextlib.contextmanager
def printed(console: Console) -> Iterator[None]:
    """While it lasts, trials are printed."""
    handler = TrialLines(console)
    _trials.addHandler(handler)
    try:
        yield
    finally:
        _trials.removeHandler(handler)
