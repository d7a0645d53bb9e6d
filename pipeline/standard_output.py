"""How a verb ends whose standard output takes no more: its reader has gone, or its disk is full."""

import errno
import os
import select
import sys

from schema.errors import UsageError

READER_GONE = 141
"""As a shell tells of a process that SIGPIPE ended: `tandem ops … | head` is no error."""

_STDOUT = 1
_FULL = (errno.ENOSPC, errno.EDQUOT)


def open_closed() -> None:
    """Gives a process that was started with stdout or stderr closed, as some daemons start theirs,
    one that keeps nothing; else the next file to be opened would stand in its place.
    """
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            if nowhere != number:
                os.close(nowhere)
            setattr(sys, name, os.fdopen(number, "w", closefd=False))


def ended(error: OSError) -> int:
    """Exit code of a verb that `error` ended because stdout's reader has gone. Raises UsageError
    where no space is left, and any other error again.
    """
    if isinstance(error, BrokenPipeError) and _reader_is_gone():
        _discard()
        return READER_GONE
    if error.errno not in _FULL:
        raise error
    try:
        sys.stdout.flush()
    except OSError:
        _discard()
    at = error.filename or "standard output, --root or --out"
    raise UsageError(f"{error.strerror}: {at}; free some space, or write elsewhere") from error


def _reader_is_gone() -> bool:
    poll = select.poll()
    poll.register(_STDOUT, 0)
    return any(events & select.POLLERR for _, events in poll.poll(0))


def _discard() -> None:
    """What stdout has buffered is not tried again at the process's end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDOUT)
    os.close(nowhere)
