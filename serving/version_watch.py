"""What a server does again and again, in a thread of its own: it looks for pushed versions, and
gives back the memory of those that are gone and of requests that were answered.
"""

import contextlib
import itertools
import logging
import threading
from collections.abc import Iterator

from serving import freed_memory
from serving.model_store import ModelStore

_log = logging.getLogger(__name__)
_POLL_SECONDS = 1.0
_POLLS_A_TRIM = 20


@contextlib.contextmanager
def following(store: ModelStore) -> Iterator[None]:
    """Every second, until the block ends."""
    stopped = threading.Event()

    def follow() -> None:
        for poll in itertools.count(1):
            if stopped.wait(_POLL_SECONDS):
                return
            if poll % _POLLS_A_TRIM == 0:
                freed_memory.give_back()
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
