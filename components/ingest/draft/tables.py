"""Groups the files of a folder to tables: files whose names differ in numbers and folders."""

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from components.ingest.draft.file_sample import FileSample, sample_file
from components.ingest.read.files import find_local_files
from components.ingest.read.paths import PathPattern
from schema.errors import UsageError

_COMPRESSED = re.compile(r"\.(gz|zst|bz2|xz)$")
_NO_DATA = re.compile(r"\.(toml|md|rst|py|sh|html?|pdf|png|jpe?g|log)$", re.IGNORECASE)


class FoundTable(NamedTuple):
    """Files of one layout."""

    path: str
    """File or glob, relative to the folder."""
    sample: FileSample
    """The first records of its largest file."""
    size: int
    """Bytes of all its files."""


class FoundFiles(NamedTuple):
    """What a folder holds."""

    tables: list[FoundTable]
    """The largest first."""
    others: dict[str, str]
    """Files that are not read, by path relative to the folder, and why."""


def find_tables(folder: str) -> FoundFiles:
    """Looks at all visible files below `folder`.

    Raises UsageError if it is no folder or has no files.
    """
    if not os.path.isdir(folder):
        raise UsageError(f"expected a folder with data, found none at {folder}; fix --data")
    sizes = {
        os.path.relpath(path, folder): size
        for path, size in find_local_files(PathPattern(folder, "")).items()
        if not _NO_DATA.search(path)
    }
    if not sizes:
        raise UsageError(f"expected files with data in {folder}, found none; fix --data")
    tables, others = [], {}
    for names in _group_names(sorted(sizes)):
        largest = max(names, key=sizes.__getitem__)
        sample = sample_file(os.path.join(folder, largest))
        if isinstance(sample, str):
            others |= dict.fromkeys(names, sample)
        else:
            size = sum(map(sizes.__getitem__, names))
            tables.append(FoundTable(_build_glob(names), sample, size))
    return FoundFiles(sorted(tables, key=lambda table: -table.size), others)


def _group_names(names: Sequence[str]) -> list[list[str]]:
    """Names that differ in numbers and folders only."""
    groups: dict[tuple[int, str], list[str]] = {}
    for name in names:
        base = _COMPRESSED.sub("", name.rpartition("/")[2])
        groups.setdefault((name.count("/"), re.sub(r"\d+", "0", base)), []).append(name)
    return list(groups.values())


def _build_glob(names: Sequence[str]) -> str:
    """The path of one file, or a glob with `*` for the folders and numbers in which several
    differ.
    """
    if len(names) == 1:
        return names[0]
    *folders, files = zip(*(name.split("/") for name in names), strict=True)
    bare = [_COMPRESSED.sub("", name) for name in files]
    parts = zip(*(re.split(r"(\d+)", name) for name in bare), strict=True)
    glob = "".join(_merge(each) for each in parts) + ("" if bare == list(files) else "*")
    return "/".join([*map(_merge, folders), glob])


def _merge(parts: Sequence[str]) -> str:
    return parts[0] if len(set(parts)) == 1 else "*"
