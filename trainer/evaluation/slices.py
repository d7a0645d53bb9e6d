"""By what users and answers are told apart: history, popularity, days since the cut, values."""

import itertools
import math

import numpy as np

from trainer.evaluation.slice_metrics import Slice
from trainer.metrics.beyond_accuracy import head_items

_RARE = 5
_AGES = (1, 7, 30)
MOST_VALUES = 10
"""Values of a category or set that have a slice of their own."""
_NONE = "no known value"
_OTHERS = " other values"


def by_history(history: np.ndarray) -> list[Slice]:
    """New users, who have no item in their history, and warm ones. `history` [users] counts."""
    return [Slice("new users", history == 0), Slice("warm users", history > 0)]


def by_activity(history: np.ndarray, parts: int = 4) -> list[Slice]:
    """Warm users in `parts` of like number, by the items of their history.

    Users with the same number of items stay together: there are fewer parts where many have it.
    """
    warm = history[history > 0]
    if not len(warm):
        return []
    cuts = np.quantile(warm, np.arange(1, parts + 1) / parts, method="inverted_cdf")
    found, low = [], 0
    for high in np.unique(cuts).astype(int).tolist():
        name = f"{low + 1}-{high} items" if high > low + 1 else _items(high)
        found.append(Slice(name, (history > low) & (history <= high)))
        low = high
    return found


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"


def by_popularity(items: np.ndarray, events: np.ndarray) -> list[Slice]:
    """[rows] items by what was known of them, `events` [n + 1]: the head is the most popular 1 %,
    new items have no events, rare ones five at the most.
    """
    head = np.isin(items, head_items(events))
    count = events[items]
    return [
        Slice("new items", ~head & (count == 0)),
        Slice("rare items", ~head & (count > 0) & (count <= _RARE)),
        Slice("middle items", ~head & (count > _RARE)),
        Slice("head items", head),
    ]


def by_age(days: np.ndarray) -> list[Slice]:
    """[rows] days since the cut: the older what is known, the harder the question."""
    edges = [0, *_AGES]
    found = [
        Slice(f"day {low}-{high}", (days >= low) & (days < high))
        for low, high in itertools.pairwise(edges)
    ]
    return [*found, Slice(f"from day {edges[-1]} on", days >= edges[-1])]


def by_value(values: np.ndarray, names: list[str], most: int = MOST_VALUES) -> list[Slice]:
    """[rows] of a category, or [rows, width] of a set, as Transform left them: 0 is no value or an
    unknown one, i is names[i - 1].

    The `most` values of the most rows each have a slice, and all the rest that occur share one.
    Where there are few values, those without rows have theirs as well. The slices of a set overlap.
    A value that reads like one of the other two slices stands in quotation marks.
    """
    names = [_distinct(name) for name in names]
    table = values.reshape(len(values), math.prod(values.shape[1:]))  # -1 fits no array of 0 rows
    count = np.bincount(table.ravel(), minlength=len(names) + 1)
    order = 1 + np.argsort(-count[1:], kind="stable")
    rest = order[most:][count[order[most:]] > 0]
    found = [Slice(names[value - 1], (table == value).any(axis=1)) for value in order[:most]]
    if len(rest):
        found.append(Slice(f"{len(rest)}{_OTHERS}", np.isin(table, rest).any(axis=1)))
    return [*found, Slice(_NONE, (table == 0).all(axis=1))]


def _distinct(value: str) -> str:
    """`value` in quotation marks where it could be a slice of ours, or a value in such marks."""
    ours = value == _NONE or (value.endswith(_OTHERS) and value.removesuffix(_OTHERS).isdigit())
    return f'"{value}"' if ours or value.startswith('"') else value
