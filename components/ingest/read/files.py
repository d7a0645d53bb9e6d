"""The files of a table: of this machine, or wherever Beam's file systems reach."""

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

# By scheme: the module that Beam's file system needs, and the extra of apache-beam that brings it.
_PACKAGES = {
    "gs": ("google.cloud.storage", "gcp"),
    "s3": ("boto3", "aws"),
    "hdfs": ("hdfs", "hadoop"),
}


def find_files(data_dir: str, source: Source) -> dict[str, int]:
    """Path -> bytes of every file of the table, sorted by path; empty where there is none.

    A folder stands for all files below it. What a glob or a folder finds is left out where its
    name, or that of a folder on the way, begins with `_` or `.`: engines keep their marks and
    checksums there. Of `{SPAN}` paths only the spans that `span` and `last_spans`
    choose are taken.

    Raises UsageError where the file system of the path cannot be reached from here, ConfigError for
    what cannot be read.
    """
    where = locate_table(data_dir, source)
    found = find_local_files(where) if where.folder else _find_remote_files(where.glob)
    if SPAN in where.glob:
        chosen = select_spans(where, list(found), source.span, source.last_spans)
        found = {file: found[file] for file in chosen}
    return dict(sorted(found.items()))


def describe_files(paths: list[str]) -> str:
    """Files as a message names them."""
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
    except ModuleNotFoundError:  # not even its parent is there
        return False


def find_local_files(where: PathPattern) -> dict[str, int]:
    """Path -> bytes of the file, or of all files at or below what the glob finds.

    Links are followed, and a folder that several of them lead to is read once. Below `folder`,
    names that begin with `_` or `.` do not count.

    Raises ConfigError for what cannot be read, or only once.
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
    """Files below it: of its own folders first, then of those that links lead to."""
    seen: set[str] = set()
    tops = [folder]
    for top in tops:
        for at, folders, files in os.walk(top, onerror=_raise_unreadable):
            place = os.path.realpath(at)
            folders[:] = [] if place in seen else sorted(filter(_is_visible_name, folders))
            if place in seen:
                continue
            seen.add(place)
            below = (os.path.join(at, name) for name in folders)
            tops.extend(path for path in below if os.path.islink(path))
            yield from (os.path.join(at, name) for name in files if _is_visible_name(name))


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
            f"expected a file, which can be read twice, received a pipe or a device at {path}; "
            "write what it gives to a file"
        )
    return status.st_size


def _raise_unreadable(error: OSError) -> NoReturn:
    raise ConfigError(
        f"expected a readable file or folder at {error.filename}, received: {error.strerror}; "
        "give the right to read it, or fix the link"
    ) from error


def open_file_systems() -> None:
    """Beam's for S3 wants options of a pipeline, and there is none yet; these are the defaults."""
    FileSystems.set_options(PipelineOptions([]))
