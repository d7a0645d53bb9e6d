"""Columns of lists of items that stay lists: shown items, and histories from before the log."""

import numpy as np
import pyarrow as pa

from components.ingest.fields.converted import ConvertedColumn
from components.ingest.fields.ids import convert_ids
from components.ingest.fields.rows.elements import split_elements
from components.ingest.read.records import MISSING_ITEM_ID, Values

ITEM_LIST = pa.large_list(pa.large_string())


def keep_lists(values: Values) -> ConvertedColumn:
    """large_list<large_string> [n]: `values` if they are such lists, as `expand_rows` makes them;
    otherwise null.
    """
    if not isinstance(values, list) and values.type == ITEM_LIST:
        return ConvertedColumn(values, [])
    return ConvertedColumn(pa.nulls(len(values), ITEM_LIST), [])


def convert_item_lists(values: Values, separator: str) -> ConvertedColumn:
    """large_list<large_string> [n]: ids; a list is empty where the value is missing, and empty
    elements are dropped. An element that is no id makes its list unreadable.
    """
    elements = split_elements(values, separator)
    ids = convert_ids(elements.values, missing=MISSING_ITEM_ID)
    refused = dict(ids.faults)
    present = ~refused.pop(MISSING_ITEM_ID)
    counts = np.bincount(elements.rows[present], minlength=len(elements.counts))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    lists = pa.LargeListArray.from_arrays(pa.array(offsets), ids.array.filter(pa.array(present)))
    rows = {reason: elements.rows[mask] for reason, mask in refused.items()}
    return ConvertedColumn(lists, [(reason, _mark(at, len(lists))) for reason, at in rows.items()])


def _mark(positions: np.ndarray, length: int) -> np.ndarray:
    """bool [length]: true at `positions`."""
    marks = np.zeros(length, bool)
    marks[positions] = True
    return marks
