"""The files of a table, local or on any of Beam's file systems."""

import importlib.util
import os
import re
import stat
from collections.abc import Iterator
from typing import NoReturn

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from components.ingest.read.paths import (
    PathPattern,
    locate_table,
    select_spans,
    translate_glob,
)
from schema.errors import ConfigError, UsageError
from schema.sources import SPAN, Source

# By scheme: the module that Beam's file system needs, and the extra of apache-beam that has it.
_PACKAGES = {
    "gs": ("google.cloud.storage", "gcp"),
    "s3": ("boto3", "aws"),
    "hdfs": ("hdfs", "hadoop"),
}


def find_files(data_dir: str, source: Source) -> dict[str, int]:
    """Returns the size in bytes of every file of the table by path, sorted by path.

    A folder means all files below it. Files in a folder or matched by a glob are ignored if their
    name, or that of a folder on the way, begins with `_` or `.`: data engines use such names for
    markers and checksums. Of `{SPAN}` paths only those of the spans that `span` and `last_spans`
    select are returned.

    Raises UsageError if a package for the path's file system is missing, and ConfigError for a file
    that cannot be read.
    """
    where = locate_table(data_dir, source)
    sizes = find_local_files(where) if where.folder else _find_remote_files(where.glob)
    if SPAN in where.glob:
        chosen = select_spans(where, list(sizes), source.span, source.last_spans)
        sizes = {file: sizes[file] for file in chosen}
    return dict(sorted(sizes.items()))


def describe_files(paths: list[str]) -> str:
    """Describes files in a message."""
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def _find_remote_files(url: str) -> dict[str, int]:
    _require_package(url)
    path = url.replace(SPAN, "*").rstrip("/")
    exact, below = FileSystems.match([path, f"{path}/**"])
    named = [file for file in exact.metadata_list if _is_visible_path(file.path, path)]
    inside = [file for file in below.metadata_list if _is_visible_path(file.path, f"{path}/*")]
    return {file.path: file.size_in_bytes for file in (*named, *inside)}


def _is_visible_path(file: str, pattern: str) -> bool:
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    start = len(pattern) if fixed == pattern else fixed.rfind("/") + 1
    return not any(part.startswith(("_", ".")) for part in file[start:].split("/"))


def _require_package(path: str) -> None:
    scheme = path.partition("://")[0]
    module, extra = _PACKAGES.get(scheme, ("", ""))
    if module and not _is_installed(module):
        raise UsageError(
            f"{path}: expected the package {module} for {scheme}:// paths, found none; "
            f"install it with: pip install 'apache-beam[{extra}]'"
        )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package is missing too
        return False


def find_local_files(where: PathPattern) -> dict[str, int]:
    """Returns the size in bytes by path: of the file, or of all files at or below the matches.

    Links are followed, and a folder with several links to it is read once. Below `folder`, names
    that begin with `_` or `.` are ignored.

    Raises ConfigError for a file that cannot be read, or is a pipe or device.
    """
    if not os.path.isdir(where.folder):
        is_file = os.path.lexists(where.folder) and not where.glob
        return {where.folder: _get_size(where.folder)} if is_file else {}
    start = len(os.path.join(where.folder, ""))
    below = ((path[start:], path) for path in _walk_files(where.folder))
    named = translate_glob(where.glob.replace(SPAN, "*")) if where.glob else ".*"
    fits = re.compile(f"(?ms){named}(/.*)?").fullmatch
    return {path: _get_size(path) for name, path in below if fits(name)}


def _walk_files(folder: str) -> Iterator[str]:
    """Yields the files below `folder`: first those in its own folders, then those behind links."""
    visited: set[str] = set()
    tops = [folder]
    for top in tops:
        for path, folders, files in os.walk(top, onerror=_raise_unreadable):
            real_path = os.path.realpath(path)
            folders[:] = [] if real_path in visited else sorted(filter(_is_visible_name, folders))
            if real_path in visited:
                continue
            visited.add(real_path)
            below = (os.path.join(path, name) for name in folders)
            tops.extend(link for link in below if os.path.islink(link))
            yield from (os.path.join(path, name) for name in files if _is_visible_name(name))


def _is_visible_name(name: str) -> bool:
    return not name.startswith(("_", "."))


def _get_size(path: str) -> int:
    try:
        path.encode()
        status = os.stat(path)
    except OSError as error:
        _raise_unreadable(error)
    except UnicodeEncodeError:
        raise ConfigError(f"expected a name in UTF-8, received {path!r}; rename it") from None
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(
            f"expected a regular file, received a pipe or a device at {path}; "
            "write its content to a file"
        )
    return status.st_size


def _raise_unreadable(error: OSError) -> NoReturn:
    raise ConfigError(
        f"expected a readable file or folder at {error.filename}, received: {error.strerror}; "
        "grant read permission, or fix the link"
    ) from error


def open_file_systems() -> None:
    """Sets default options for Beam's S3 file system, which needs them before a pipeline exists."""
    FileSystems.set_options(PipelineOptions([]))
