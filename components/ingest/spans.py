"""Spans: the `{SPAN}` in a path, a date or a number, by which logs come in portions."""

import re
from collections.abc import Iterable
from typing import Any

from components.ingest.read import paths
from components.ingest.read.paths import Located
from schema.errors import ConfigError
from schema.sources import SPAN

# A date in ISO 8601, or any number (20240131 is one).
_SPAN = r"\d{4}-\d{2}-\d{2}|\d+"


def choose(
    where: Located, paths: Iterable[str], chosen: str | None, last: int | None = None
) -> list[str]:
    """The `paths` (found by `where` with a `*` for its span) whose span is among the `chosen`.

    `chosen` is one span, or the first and the last with `..` between them, both included; None
    takes every span. With `last` it is that many of the spans there are that end with `chosen`, or
    with the newest where that is None; none where there is no span `chosen`. Numbers are compared
    as numbers, so 7 and 007 are one span. A path that holds neither date nor number in the span's
    place belongs to none.

    Raises ConfigError where dates are chosen and the paths hold numbers, or the other way round,
    and where the last of both are asked for.
    """
    by_path = {path: span for path in paths if (span := span_of(where, path)) is not None}
    if chosen is not None:
        by_path = _of_kind(by_path, chosen, where)
    if last is not None:
        return _window(by_path, chosen, last, where)
    if chosen is None:
        return list(by_path)
    first, _, final = chosen.partition("..")
    low, high = _order(first), _order(final or first)
    return [path for path, span in by_path.items() if low <= _order(span) <= high]


def _of_kind(by_path: dict[str, str], chosen: str, where: Located) -> dict[str, str]:
    first = chosen.partition("..")[0]
    fitting = {path: span for path, span in by_path.items() if _is_date(span) == _is_date(first)}
    if by_path and not fitting:
        raise ConfigError(
            f"expected spans like those of {where}, such as {min(by_path.values())}, received "
            f"span = {chosen!r}; write dates where the folders hold dates, and numbers for numbers"
        )
    return fitting


def _window(by_path: dict[str, str], end: str | None, length: int, where: Located) -> list[str]:
    if len({_is_date(span) for span in by_path.values()}) > 1:
        raise ConfigError(
            f"expected dates or numbers at {where}, received both; "
            "say with span which of them are meant"
        )
    orders = sorted({_order(span) for span in by_path.values()})
    if end is not None:
        orders = orders[: orders.index(_order(end)) + 1] if _order(end) in orders else []
    window = orders[-length:]
    return [path for path, span in by_path.items() if _order(span) in window]


def span_of(where: Located, path: str) -> str | None:
    """What stands in the span's place in `path`, or in a folder above it; None where it is none."""
    head, _, tail = (paths.expression(part) for part in where.glob.rstrip("/").partition(SPAN))
    found = re.match(f"{paths.prefix(where)}{head}({_SPAN}){tail}(/|$)", path)
    return found[1] if found else None


def _is_date(span: str) -> bool:
    return "-" in span


def _order(span: str) -> Any:
    return span if _is_date(span) else int(span)
