"""Paths that nobody takes for a glob.

Beam and TensorFlow look for files by glob even where they were given a name: TensorFlow's restoring
of variables does, and so does Beam's writing. They have no way to quote that holds for both. So a
folder whose name has such signs goes by a link, of this process and no other.
"""

import functools
import pathlib
import tempfile
import uuid

from schema.storage.locations import is_remote

_SIGNS = frozenset("*?[\\")


def link(path: str) -> str:
    """`path`, or one through a link where it has signs of a glob; a URL stays as it is."""
    if is_remote(path) or not _SIGNS & set(path):
        return path
    parts = path.split("/")
    last = max(n for n, part in enumerate(parts) if _SIGNS & set(part)) + 1
    return "/".join([_link_folder("/".join(parts[:last])), *parts[last:]])


def resolve(path: str) -> str:
    """What `link` made `path` of; itself where it did not."""
    for folder, link in _links.items():
        if f"{path}/".startswith(f"{link}/"):
            return folder + path.removeprefix(link)
    return path


_links: dict[str, str] = {}


def _link_folder(folder: str) -> str:
    if folder not in _links:
        link = pathlib.Path(_make_link_folder().name, uuid.uuid4().hex)
        link.symlink_to(pathlib.Path(folder).absolute())
        _links[folder] = str(link)
    return _links[folder]


@functools.cache
def _make_link_folder() -> tempfile.TemporaryDirectory[str]:
    """Removed when the process ends."""
    has_signs = bool(_SIGNS & set(tempfile.gettempdir()))
    return tempfile.TemporaryDirectory(prefix="tandem-", dir="/tmp" if has_signs else None)
