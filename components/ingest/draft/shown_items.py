"""Columns of items that were shown, with marks of clicks, and of items from before the log."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from components.ingest.draft.column import Column

_MARKED = re.compile(r"\S+-[01](\s+\S+-[01])*\s*")
_MOST = 0.95


class ShownItems(NamedTuple):
    """Items in a column of a log, as in MIND: `N7-0 N12-1`."""

    keys: dict[str, Any]
    """`impressions` and `history` of the table."""
    columns: frozenset[str]
    """The columns that these keys name."""
    ids: frozenset[str]
    """The items that were shown."""


def find_shown_items(columns: Sequence[Column]) -> ShownItems | None:
    """Returns the first column whose items end with `-0` or `-1`, and one of items without such
    marks; None if there is no such column.
    """
    shown = next((column for column in columns if _is_marked(column)), None)
    if shown is None:
        return None
    ids = frozenset(token[:-2] for token in _list_tokens(shown))
    keys: dict[str, Any] = {"impressions": {"shown": shown.name, "clicked": "suffix"}}
    history = next((c for c in columns if c is not shown and _holds_items(c, ids)), None)
    if history is None:
        return ShownItems(keys, frozenset({shown.name}), ids)
    keys["history"] = {"column": history.name}
    return ShownItems(keys, frozenset({shown.name, history.name}), ids)


def _is_marked(column: Column) -> bool:
    texts = column.texts
    marked = sum(_MARKED.fullmatch(text) is not None for text in texts)
    return bool(texts) and marked >= _MOST * len(texts) and any(" " in text for text in texts)


def _holds_items(column: Column, ids: frozenset[str]) -> bool:
    """Whether the values are several tokens of the same form as the ids, such as `N12`."""
    forms = _list_forms(ids)
    several = any(" " in text.strip() for text in column.texts)
    return several and _list_forms(_list_tokens(column)) <= forms


def _list_tokens(column: Column) -> list[str]:
    return [token for text in column.texts for token in text.split()]


def _list_forms(tokens: Iterable[str]) -> set[str]:
    return {re.sub(r"\d+", "0", token) for token in tokens}
