"""Spans: the `{SPAN}` in a path, a date or a number, by which logs come in portions."""

import re
from collections.abc import Iterable
from typing import Any

from apache_beam.io.filesystem import FileSystem

from schema.errors import ConfigError

PLACE = "{SPAN}"

# A date in ISO 8601, or any number (20240131 is one).
_SPAN = r"\d{4}-\d{2}-\d{2}|\d+"


def choose(pattern: str, paths: Iterable[str], chosen: str | None) -> list[str]:
    """The `paths` (found by `pattern` with a `*` for its span) whose span is among the `chosen`.

    `chosen` is one span, or the first and the last with `..` between them, both included; None
    takes every span. Numbers are compared as numbers, so 7 and 007 are one span. A path that holds
    neither date nor number in the span's place belongs to none.

    Raises ConfigError where dates are chosen and the paths hold numbers, or the other way round.
    """
    by_path = {path: span for path in paths if (span := span_of(pattern, path)) is not None}
    if chosen is None:
        return list(by_path)
    first, _, last = chosen.partition("..")
    low, high = _order(first), _order(last or first)
    if by_path and not any(_is_date(span) == _is_date(first) for span in by_path.values()):
        raise ConfigError(
            f"expected spans like those of {pattern}, such as {min(by_path.values())}, received "
            f"span = {chosen!r}; write dates where the folders hold dates, and numbers for numbers"
        )
    return [
        path
        for path, span in by_path.items()
        if _is_date(span) == _is_date(first) and low <= _order(span) <= high
    ]


def span_of(pattern: str, path: str) -> str | None:
    """What stands in the span's place in `path`, or in a folder above it; None where it is none."""
    head, _, tail = pattern.partition(PLACE)
    expression = f"{_as_regex(head)}({_SPAN}){_as_regex(tail.rstrip('/'))}(/|$)"
    found = re.match(expression, path)
    return found[1] if found else None


def _as_regex(glob: str) -> str:
    """Beam's own reading of a glob, without its anchor at the end."""
    return FileSystem.translate_pattern(glob).removeprefix("(?ms)").removesuffix(r"\Z")


def _is_date(span: str) -> bool:
    return "-" in span


def _order(span: str) -> Any:
    return span if _is_date(span) else int(span)
