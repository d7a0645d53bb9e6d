"""Sends everything that libraries write to stdout, stderr and logging into one file."""

import contextlib
import logging
import os
import pathlib
import sys
from collections.abc import Iterator
from typing import TextIO


@contextlib.contextmanager
def into_file(path: pathlib.Path) -> Iterator[tuple[TextIO, TextIO]]:
    """Yields what stdout and stderr were, for what people are to see.

    File descriptors are redirected, so that C++ libraries and child processes are caught too. What
    is logged stands in the file once: handlers of the root logger that write to stdout or stderr
    (a library's `logging.basicConfig`) rest meanwhile.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    before = root.level
    resting = [other for other in root.handlers if _writes_to_terminal(other)]
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(path.open("a"))
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        for other in resting:
            root.removeHandler(other)
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        out, err = (stack.enter_context(os.fdopen(os.dup(fd), "w")) for fd in kept)
        try:
            yield out, err
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)
            for fd in kept:
                os.close(fd)
            root.removeHandler(handler)
            for other in resting:
                root.addHandler(other)
            handler.close()
            root.setLevel(before)


def _writes_to_terminal(handler: logging.Handler) -> bool:
    streams = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    return isinstance(handler, logging.StreamHandler) and handler.stream in streams
