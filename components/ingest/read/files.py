"""The files behind a table's `path`, wherever Beam's file systems reach."""

import importlib.util
import re

from apache_beam.io.filesystems import FileSystems

from components.ingest import local_files, spans
from components.ingest.read import paths
from schema.errors import UsageError
from schema.sources import SPAN, Source

# By scheme: the module that Beam's file system needs, and the extra of apache-beam that brings it.
_NEEDED = {
    "gs": ("google.cloud.storage", "gcp"),
    "s3": ("boto3", "aws"),
    "hdfs": ("hdfs", "hadoop"),
}


def match(data_dir: str, source: Source) -> dict[str, int]:
    """Path -> bytes of every file of the table, sorted by path; empty where there is none.

    A folder stands for all files below it. What a glob or a folder finds is left out where its
    name, or that of a folder on the way, begins with `_` or `.`: engines keep their marks and
    checksums there. Of `{SPAN}` paths only the spans that `span` and `last_spans`
    choose are taken.

    Raises UsageError where the file system of the path cannot be reached from here, ConfigError for
    what cannot be read.
    """
    where = paths.of(data_dir, source)
    found = local_files.found(where) if where.folder else _stored(where.glob)
    if SPAN in where.glob:
        chosen = spans.choose(where, list(found), source.span, source.last_spans)
        found = {file: found[file] for file in chosen}
    return dict(sorted(found.items()))


def shown(paths: list[str]) -> str:
    """Files as a message names them."""
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def _stored(url: str) -> dict[str, int]:
    _require(url)
    path = url.replace(SPAN, "*").rstrip("/")
    exact, below = FileSystems.match([path, f"{path}/**"])
    named = [file for file in exact.metadata_list if _counts(file.path, path)]
    inside = [file for file in below.metadata_list if _counts(file.path, f"{path}/*")]
    return {file.path: file.size_in_bytes for file in (*named, *inside)}


def _counts(file: str, pattern: str) -> bool:
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    start = len(pattern) if fixed == pattern else fixed.rfind("/") + 1
    return not any(part.startswith(("_", ".")) for part in file[start:].split("/"))


def _require(path: str) -> None:
    scheme = path.partition("://")[0]
    module, extra = _NEEDED.get(scheme, ("", ""))
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
