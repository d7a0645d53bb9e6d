"""Paths that cannot be mistaken for a glob.

Beam and TensorFlow interpret file names as globs even where a literal name is expected: TensorFlow
when it restores variables, Beam when it writes. No way of escaping works for both. A folder whose
name has wildcard characters is therefore accessed through a symbolic link of this process.
"""

import functools
import pathlib
import tempfile
import uuid

from schema.storage.locations import is_remote

_SIGNS = frozenset("*?[\\")


def link(path: str) -> str:
    """Returns `path`, or a path through a link if it has wildcards; a URL is unchanged."""
    if is_remote(path) or not _SIGNS & set(path):
        return path
    parts = path.split("/")
    last = max(n for n, part in enumerate(parts) if _SIGNS & set(part)) + 1
    return "/".join([_link_folder("/".join(parts[:last])), *parts[last:]])


def resolve(path: str) -> str:
    """Returns the path for which `link` returned `path`; `path` itself if it has no link."""
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
    """The folder of all links; it is removed when the process ends."""
    has_signs = bool(_SIGNS & set(tempfile.gettempdir()))
    return tempfile.TemporaryDirectory(prefix="tandem-", dir="/tmp" if has_signs else None)
