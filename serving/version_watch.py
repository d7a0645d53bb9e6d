"""What a server does again and again, in a thread of its own: it looks for pushed versions, and
gives back the memory of those that are gone and of requests that were answered.
"""

import contextlib
import itertools
import logging

from serving import freed_memory
from serving.server.model_store import ModelStore
from serving.versions.polling import repeating

_log = logging.getLogger(__name__)
_POLL_SECONDS = 1.0
_POLLS_A_TRIM = 20


def following(store: ModelStore) -> contextlib.AbstractContextManager[None]:
    """Every second, until the block ends."""
    polls = itertools.count(1)

    def follow() -> None:
        if next(polls) % _POLLS_A_TRIM == 0:
            freed_memory.give_back()
        try:
            store.refresh()
        except OSError as error:  # a folder renamed or unreadable at this moment
            _log.warning("cannot look for new versions, trying again: %s", error)

    return repeating("follow-versions", _POLL_SECONDS, follow)
