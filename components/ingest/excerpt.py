"""Values as messages show them: never more than a glance of what a file holds."""

from collections.abc import Iterable
from typing import Any

_LENGTH = 60
_NAMES = 12


def excerpt(value: Any) -> str:
    """As Python writes it, cut after 60 characters."""
    if isinstance(value, (str, bytes)) and len(value) > _LENGTH:
        return f"{value[:_LENGTH]!r}…"
    shown = repr(value)
    return shown if len(shown) <= _LENGTH else f"{shown[:_LENGTH]}…"


def names(values: Iterable[str]) -> str:
    """Names one after the other, cut after the first twelve."""
    every = list(values)
    more = f" and {len(every) - _NAMES} more" if len(every) > _NAMES else ""
    return ", ".join(map(excerpt, every[:_NAMES])) + more
