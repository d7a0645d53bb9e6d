"""Where a table's `path` points: names that exist as they stand, and from there on a glob."""

import os
import re
from typing import NamedTuple

from apache_beam.io.filesystem import FileSystem

from schema.sources import SPAN, Source
from schema.storage import locations
from schema.storage.locations import is_remote


class Located(NamedTuple):
    """A path in two parts; a URL is all glob, since only its store knows what it names."""

    folder: str
    """Of this machine, or a file where `glob` is empty. Signs of globs in it stand for
    themselves."""
    glob: str
    """Below `folder`, in Beam's syntax; may hold `{SPAN}`."""

    def __str__(self) -> str:
        return os.path.join(self.folder, self.glob) if self.glob else self.folder


def of(data_dir: str, source: Source) -> Located:
    """`path` of `source` below `data_dir`; an absolute path, a URL and `~` stand for themselves.

    The leading parts that name a file or folder of this machine are that file or folder, whatever
    signs are in their names: `[b]/*.csv` are the files of the folder `[b]` where there is one.
    `data_dir` is never a glob.
    """
    if is_remote(source.path):
        return Located("", source.path)
    folder = locations.readable(data_dir) if data_dir else "."
    if is_remote(folder) and not os.path.isabs(source.path):
        return Located("", locations.readable(f"{folder}/{source.path}"))
    return _split(folder, _at_home(folder, source.path))


def expression(glob: str) -> str:
    """Beam's reading of a glob as a regular expression, without an anchor at its end."""
    translated = FileSystem.translate_pattern(glob).removeprefix("(?ms)").removesuffix(r"\Z")
    return translated.replace(r"[^/\\]*", "[^/]*")  # here a backslash may be part of a name


def prefix(where: Located) -> str:
    """Regular expression of what stands before the glob in the paths that it finds."""
    return re.escape(os.path.join(where.folder, "")) if where.folder else ""


def _at_home(data_dir: str, path: str) -> str:
    first = path.partition("/")[0]
    own = os.path.lexists(os.path.join(data_dir, first))
    return path if own else os.path.expanduser(path)


def _split(data_dir: str, path: str) -> Located:
    folder = "/" if os.path.isabs(path) else data_dir
    parts = [part for part in path.split("/") if part]
    while parts and SPAN not in parts[0] and os.path.lexists(os.path.join(folder, parts[0])):
        folder = os.path.join(folder, parts.pop(0))
    return Located(folder.rstrip("/") or "/", "/".join(parts))
