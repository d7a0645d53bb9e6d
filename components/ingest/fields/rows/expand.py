"""Rows with several items -> one record for each item, with the other columns of its row."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from components.ingest.fields.coercion import coerce_ids
from components.ingest.fields.null_values import replace_nulls
from components.ingest.fields.rows.elements import Elements, repeat_values, split_elements
from components.ingest.fields.rows.impressions import find_clicks
from components.ingest.read.lines import Lines
from components.ingest.read.records import UNEQUAL_LISTS, Fault, Records, Values
from schema.sources import InteractionsSource, Source
from schema.sources.item_lists import Impressions


class RepeatedTexts(Sequence):
    """The texts of lines, each as often as its row has items, without a copy."""

    def __init__(self, texts: Sequence[str], order: np.ndarray) -> None:
        """`order` has the position in `texts` of each text."""
        self._texts, self._order = texts, order

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, at: Any) -> str:
        return self._texts[int(self._order[at])]


class ExpandedRows(NamedTuple):
    """Lines and records with one of each for every item."""

    lines: Lines
    records: Records
    unused: int = 0
    """Rows of impressions without a click; they are in `lines`, but not in `records`."""


class _Lists(NamedTuple):
    """The lists of `n` rows."""

    items: Elements
    parallel: dict[str, Elements]
    """By column; a row without a fault has as many values as items."""
    columns: dict[str, Values]
    """Columns [n] that replace those of the records."""
    unclicked: np.ndarray
    """bool [n]: rows of impressions without a click."""
    faults: dict[int, Fault]
    """By row; no row is also in `unclicked`."""


def expand_rows(lines: Lines, records: Records, source: Source) -> ExpandedRows:
    """Expands baskets and impressions; other tables stay as they are.

    A row with a fault becomes one line and no record; a row without an item one record whose item
    is missing.
    """
    if not isinstance(source, InteractionsSource):
        return ExpandedRows(lines, records)
    if source.impressions is not None:
        lists = _read_impressions(records, source, source.impressions)
    elif source.basket is not None:
        lists = _read_basket(records, source)
    else:
        return ExpandedRows(lines, records)
    return _expand(lines, records, source.item_id, lists)


def _read_basket(records: Records, source: InteractionsSource) -> _Lists:
    items = _split_items(records, source)
    parallel = _split_parallel(records, source)
    faults = _compare_lengths(source.item_id, items, parallel)
    return _Lists(items, parallel, {}, np.zeros(len(items.counts), bool), faults)


def _read_impressions(records: Records, source: InteractionsSource, rule: Impressions) -> _Lists:
    items = None if rule.clicked == "suffix" else _split_items(records, source)
    shown = replace_nulls(records.columns[rule.shown], source.null_texts)
    clicks = find_clicks(shown, items, rule)
    parallel = _split_parallel(records, source)
    unequal = _compare_lengths(source.item_id, clicks.clicked, parallel)
    faults = {row: fault for row, fault in unequal.items() if not clicks.unclicked[row]}
    faults |= clicks.faults
    columns = {rule.shown: clicks.others}
    return _Lists(clicks.clicked, parallel, columns, clicks.unclicked, faults)


def _split_items(records: Records, source: InteractionsSource) -> Elements:
    values = replace_nulls(records.columns[source.item_id], source.null_texts)
    if source.basket is not None:
        return split_elements(values, source.basket.separator)
    ids, wrong, _ = coerce_ids(values)
    present = ids.is_valid().to_numpy(zero_copy_only=False) | wrong
    # The values stay as they are, so that the field of the item rejects those that are no ids.
    return Elements(repeat_values(values, np.flatnonzero(present)), present.astype(np.int64))


def _split_parallel(records: Records, source: InteractionsSource) -> dict[str, Elements]:
    if source.basket is None:
        return {}
    names = [name for name in source.basket.parallel if name in records.columns]
    return {name: split_elements(records.columns[name], source.basket.separator) for name in names}


def _compare_lengths(name: str, items: Elements, parallel: dict[str, Elements]) -> dict[int, Fault]:
    return {
        int(row): Fault(
            UNEQUAL_LISTS,
            f"column {column!r} expects {items.counts[row]} values, one for each item of {name!r}, "
            f"received {values.counts[row]}",
        )
        for column, values in parallel.items()
        for row in np.flatnonzero(values.counts != items.counts)
    }


def _expand(lines: Lines, records: Records, item_id: str, lists: _Lists) -> ExpandedRows:
    dropped = lists.unclicked.copy()
    dropped[list(lists.faults)] = True
    kept = np.flatnonzero(~dropped)
    counts = np.maximum(lists.items.counts[kept], 1)
    row = np.repeat(kept, counts)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    elements = lists.parallel | {item_id: lists.items}
    values = records.columns | lists.columns
    columns = {name: repeat_values(values[name], row) for name in values.keys() - elements.keys()}
    columns |= {name: _take_elements(each, row, nth) for name, each in elements.items()}

    per_line = np.ones(len(lines.texts), np.int64)
    per_line[records.index[kept]] = counts
    order, first = np.repeat(np.arange(len(per_line)), per_line), np.cumsum(per_line) - per_line
    faults = {int(first[line]): fault for line, fault in records.faults.items()}
    faults |= {int(first[records.index[at]]): fault for at, fault in lists.faults.items()}
    return ExpandedRows(
        lines._replace(texts=RepeatedTexts(lines.texts, order), numbers=lines.numbers[order]),
        records._replace(columns=columns, index=first[records.index[row]] + nth, faults=faults),
        int(lists.unclicked.sum()),
    )


def _take_elements(elements: Elements, row: np.ndarray, nth: np.ndarray) -> Values:
    """The element `nth` of each `row`; null where the row has no element."""
    first = np.cumsum(elements.counts) - elements.counts
    return repeat_values(elements.values, np.where(elements.counts[row] > 0, first[row] + nth, -1))
