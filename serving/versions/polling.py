"""Periodic work in a separate thread."""

import contextlib
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def run_periodically(name: str, seconds: float, step: Callable[[], None]) -> Iterator[None]:
    """Calls `step` every `seconds` until the block ends, and waits for the last call."""
    stopped = threading.Event()

    def repeat() -> None:
        while not stopped.wait(seconds):
            step()

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
