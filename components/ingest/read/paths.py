"""Resolves a table's `path`: an existing folder or file, then a glob, optionally with a span.

A span is the date or number in place of `{SPAN}`, by which a log is partitioned.
"""

import os
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from apache_beam.io.filesystem import FileSystem

from schema.errors import ConfigError
from schema.sources import SPAN, Source
from schema.storage.locations import is_remote, parse_readable

# A date in ISO 8601, or any number (20240131 is one).
_SPAN = r"\d{4}-\d{2}-\d{2}|\d+"


class PathPattern(NamedTuple):
    """A path in two parts; a URL has only the second one, because only its store can resolve it."""

    folder: str
    """An existing local folder, or a file if `glob` is empty. Wildcard characters in it are
    literal."""
    glob: str
    """Path below `folder`, in Beam's glob syntax; can contain `{SPAN}`."""

    def __str__(self) -> str:
        return os.path.join(self.folder, self.glob) if self.glob else self.folder


def locate_table(data_dir: str, source: Source) -> PathPattern:
    """Resolves the `path` of `source`; a relative path starts from `data_dir`.

    The leading parts that name an existing file or folder are literal, even if they contain
    wildcard characters: `[b]/*.csv` matches files in the folder `[b]` if there is one. `data_dir`
    is never a glob.
    """
    if is_remote(source.path):
        return PathPattern("", source.path)
    folder = parse_readable(data_dir) if data_dir else "."
    if is_remote(folder) and not os.path.isabs(source.path):
        return PathPattern("", parse_readable(f"{folder}/{source.path}"))
    return _split_path(folder, _expand_home(folder, source.path))


def translate_glob(glob: str) -> str:
    """Returns the regular expression that Beam uses for a glob, without an anchor at its end."""
    translated = FileSystem.translate_pattern(glob).removeprefix("(?ms)").removesuffix(r"\Z")
    return translated.replace(r"[^/\\]*", "[^/]*")  # here a backslash may be part of a name


def escape_folder(where: PathPattern) -> str:
    """Returns a regular expression of the part of a path before the glob."""
    return re.escape(os.path.join(where.folder, "")) if where.folder else ""


def _expand_home(data_dir: str, path: str) -> str:
    first = path.partition("/")[0]
    own = os.path.lexists(os.path.join(data_dir, first))
    return path if own else os.path.expanduser(path)


def _split_path(data_dir: str, path: str) -> PathPattern:
    folder = "/" if os.path.isabs(path) else data_dir
    parts = [part for part in path.split("/") if part]
    while parts and SPAN not in parts[0] and os.path.lexists(os.path.join(folder, parts[0])):
        folder = os.path.join(folder, parts.pop(0))
    return PathPattern(folder.rstrip("/") or "/", "/".join(parts))


def select_spans(
    where: PathPattern, paths: Iterable[str], chosen: str | None, last: int | None = None
) -> list[str]:
    """Selects the paths of the chosen spans. Numbers are compared as numbers, so 7 and 007 are one
    span. A path with neither a date nor a number in place of the span is never selected.

    Args:
        where: Pattern of the paths.
        paths: Paths that match the pattern with `*` in place of the span.
        chosen: One span, or an inclusive range such as `1..3`; None for all spans.
        last: Number of existing spans up to `chosen`, or up to the newest if that is None. The
            result is empty if the span `chosen` does not exist.

    Raises:
        ConfigError: Dates are chosen and the paths have numbers, or vice versa; or `last` is given
            and the paths have both.
    """
    by_path = {path: span for path in paths if (span := extract_span(where, path)) is not None}
    if chosen is not None:
        by_path = _filter_by_kind(by_path, chosen, where)
    if last is not None:
        return _select_last(by_path, chosen, last, where)
    if chosen is None:
        return list(by_path)
    first, _, final = chosen.partition("..")
    low, high = _build_sort_key(first), _build_sort_key(final or first)
    return [path for path, span in by_path.items() if low <= _build_sort_key(span) <= high]


def _filter_by_kind(by_path: dict[str, str], chosen: str, where: PathPattern) -> dict[str, str]:
    first = chosen.partition("..")[0]
    fitting = {path: span for path, span in by_path.items() if _is_date(span) == _is_date(first)}
    if by_path and not fitting:
        raise ConfigError(
            f"expected spans like those of {where}, such as {min(by_path.values())}, received "
            f"span = {chosen!r}; write dates where the folders hold dates, and numbers for numbers"
        )
    return fitting


def _select_last(
    by_path: dict[str, str], end: str | None, length: int, where: PathPattern
) -> list[str]:
    if len({_is_date(span) for span in by_path.values()}) > 1:
        raise ConfigError(
            f"expected dates or numbers at {where}, received both; set span to select one kind"
        )
    orders = sorted({_build_sort_key(span) for span in by_path.values()})
    if end is not None:
        last = _build_sort_key(end)
        orders = orders[: orders.index(last) + 1] if last in orders else []
    window = orders[-length:]
    return [path for path, span in by_path.items() if _build_sort_key(span) in window]


def extract_span(where: PathPattern, path: str) -> str | None:
    """Returns the span in `path`, or in a folder above it; None if there is none."""
    head, _, tail = (translate_glob(part) for part in where.glob.rstrip("/").partition(SPAN))
    match = re.match(f"{escape_folder(where)}{head}({_SPAN}){tail}(/|$)", path)
    return match[1] if match else None


def _is_date(span: str) -> bool:
    return "-" in span


def _build_sort_key(span: str) -> Any:
    return span if _is_date(span) else int(span)
