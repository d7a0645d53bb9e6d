"""The files of this machine that a path stands for."""

import os
import re
import stat
from collections.abc import Iterator
from typing import NoReturn

from components.ingest.read import paths
from components.ingest.read.paths import Located
from schema.errors import ConfigError
from schema.sources import SPAN


def found(where: Located) -> dict[str, int]:
    """Path -> bytes of the file, or of all files at or below what the glob finds.

    Links are followed, and a folder that several of them lead to is read once. Below `folder`,
    names that begin with `_` or `.` do not count.

    Raises ConfigError for what cannot be read, or only once.
    """
    if not os.path.isdir(where.folder):
        is_file = os.path.lexists(where.folder) and not where.glob
        return {where.folder: _size(where.folder)} if is_file else {}
    start = len(os.path.join(where.folder, ""))
    below = ((path[start:], path) for path in _walked(where.folder))
    named = paths.expression(where.glob.replace(SPAN, "*")) if where.glob else ".*"
    fits = re.compile(f"(?ms){named}(/.*)?").fullmatch
    return {path: _size(path) for name, path in below if fits(name)}


def _walked(folder: str) -> Iterator[str]:
    """Files below it: of its own folders first, then of those that links lead to."""
    seen: set[str] = set()
    tops = [folder]
    for top in tops:
        for at, folders, files in os.walk(top, onerror=_refuse):
            place = os.path.realpath(at)
            folders[:] = [] if place in seen else sorted(filter(_counts, folders))
            if place in seen:
                continue
            seen.add(place)
            below = (os.path.join(at, name) for name in folders)
            tops.extend(path for path in below if os.path.islink(path))
            yield from (os.path.join(at, name) for name in files if _counts(name))


def _counts(name: str) -> bool:
    return not name.startswith(("_", "."))


def _size(path: str) -> int:
    try:
        path.encode()
        status = os.stat(path)
    except OSError as error:
        _refuse(error)
    except UnicodeEncodeError:
        raise ConfigError(f"expected a name in UTF-8, received {path!r}; rename it") from None
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(
            f"expected a file, which can be read twice, received a pipe or a device at {path}; "
            "write what it gives to a file"
        )
    return status.st_size


def _refuse(error: OSError) -> NoReturn:
    raise ConfigError(
        f"expected a readable file or folder at {error.filename}, received: {error.strerror}; "
        "give the right to read it, or fix the link"
    ) from error
