"""Looking for pushed versions, again and again, in a thread of its own."""

import contextlib
import logging
import threading
from collections.abc import Iterator

from serving.model_store import ModelStore

_log = logging.getLogger(__name__)
_POLL_SECONDS = 1.0


@contextlib.contextmanager
def following(store: ModelStore) -> Iterator[None]:
    """Every second, until the block ends."""
    stopped = threading.Event()

    def follow() -> None:
        while not stopped.wait(_POLL_SECONDS):
            try:
                store.refresh()
            except OSError as error:  # a folder renamed or unreadable at this moment
                _log.warning("cannot look for new versions, trying again: %s", error)

    thread = threading.Thread(target=follow, name="follow-versions", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
