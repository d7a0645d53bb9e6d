"""Shown items and clicks -> the clicked items of each row, and those that were not clicked."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.coercion import coerce_ids, coerce_numbers
from components.ingest.fields.rows.elements import Elements, repeat_values, split_elements
from components.ingest.read.records import BAD_IMPRESSION, Fault, Values
from schema.sources.item_lists import Impressions

_CLICKED, _NOT_CLICKED = "-1", "-0"
_NO_FAULTS: dict[int, Fault] = {}


class Clicks(NamedTuple):
    """What became of `n` rows of impressions."""

    clicked: Elements
    """Clicked items."""
    others: pa.Array
    """large_list<large_string> [n]: items that were shown and not clicked; empty elements of a list
    are none."""
    unclicked: np.ndarray
    """bool [n]: whether items were shown and none of them was clicked."""
    faults: dict[int, Fault]
    """By row."""


def find_clicks(shown: Values, clicks: Elements | None, rule: Impressions) -> Clicks:
    """Finds the clicked items of each row.

    Args:
        shown: [n] the column of shown items.
        clicks: items or positions of the clicks; None where `shown` marks them.
        rule: how clicks are written.
    """
    elements = split_elements(shown, rule.separator)
    ids, _, _ = coerce_ids(elements.values)
    if clicks is None:
        return _read_marks(Elements(ids, elements.counts))
    faults = _NO_FAULTS
    if rule.clicked == "position":
        clicks, faults = _look_up_positions(clicks, ids, elements.counts, rule.first_position)
    own, _, _ = coerce_ids(clicks.values)
    is_clicked = _match_rows(Elements(ids, elements.counts), Elements(own, clicks.counts))
    return _divide(Elements(ids, elements.counts), is_clicked, clicks, faults)


def _read_marks(shown: Elements) -> Clicks:
    ids = pc.utf8_slice_codeunits(shown.values, 0, -2)
    clicked, not_clicked = (
        pc.fill_null(pc.ends_with(shown.values, mark), False).to_numpy(zero_copy_only=False)
        for mark in (_CLICKED, _NOT_CLICKED)
    )
    rows = shown.rows
    faults = {
        int(rows[at]): Fault(
            BAD_IMPRESSION,
            "expected shown items that end with -1 (clicked) or -0 (not clicked), received "
            f"{shown.values[int(at)].as_py()!r}",
        )
        for at in np.flatnonzero(~clicked & ~not_clicked)[::-1]
    }
    own = np.bincount(rows[clicked], minlength=len(shown.counts))
    clicks = Elements(ids.filter(pa.array(clicked)), own.astype(np.int64))
    return _divide(Elements(ids, shown.counts), clicked, clicks, faults)


def _divide(
    shown: Elements, is_clicked: np.ndarray, clicked: Elements, faults: dict[int, Fault]
) -> Clicks:
    assert not isinstance(shown.values, list), "expected ids as text"
    is_other = ~is_clicked & shown.values.is_valid().to_numpy(zero_copy_only=False)
    rest = np.bincount(shown.rows[is_other], minlength=len(shown.counts))
    offsets = np.concatenate([[0], np.cumsum(rest)]).astype(np.int64)
    values = shown.values.filter(pa.array(is_other))
    others = pa.LargeListArray.from_arrays(pa.array(offsets), values)
    unclicked = (clicked.counts == 0) & (shown.counts > 0)
    unclicked[list(faults)] = False
    return Clicks(clicked, others, unclicked, faults)


def _match_rows(shown: Elements, clicked: Elements) -> np.ndarray:
    """bool [shown]: whether the item is one of the clicked ones of its row."""
    both = pa.concat_arrays([shown.values, clicked.values]).dictionary_encode()
    codes = pc.fill_null(both.indices, -1).to_numpy().astype(np.int64)
    rows = np.concatenate([shown.rows, clicked.rows])
    keys = rows * (len(both.dictionary) + 1) + codes + 1
    return np.isin(keys[: len(shown.values)], keys[len(shown.values) :])


def _look_up_positions(
    clicks: Elements, ids: pa.Array, shown: np.ndarray, first: int
) -> tuple[Elements, dict[int, Fault]]:
    """Items at the positions; a missing position and the one before the first are no clicks."""
    numbers, bad, wrong = coerce_numbers(clicks.values)
    absent = ~numbers.is_valid().to_numpy(zero_copy_only=False) & ~bad & ~wrong
    position = pc.fill_null(numbers, -1.0).to_numpy() - first
    rows = clicks.rows
    absent |= (position == -1) & ~bad & ~wrong
    fits = ~bad & ~wrong & (position >= 0) & (position < shown[rows]) & (position % 1 == 0)
    faults = {
        int(rows[at]): Fault(
            BAD_IMPRESSION,
            f"expected the position of one of {shown[rows[at]]} shown items, from {first} on, "
            f"received {_get_value(clicks.values, int(at))!r}",
        )
        for at in np.flatnonzero(~fits & ~absent)[::-1]
    }
    starts = np.cumsum(shown) - shown
    where = starts[rows[fits]] + position[fits].astype(np.int64)
    counts = np.bincount(rows[fits], minlength=len(shown)).astype(np.int64)
    return Elements(repeat_values(ids, where), counts), faults


def _get_value(values: Values, at: int) -> object:
    return values[at] if isinstance(values, list) else values[at].as_py()
