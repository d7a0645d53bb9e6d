"""Columns of lists of items that stay lists: shown items, and histories from before the log."""

import numpy as np
import pyarrow as pa

from components.ingest.fields.coercion import coerce_ids
from components.ingest.fields.converted import ConvertedColumn
from components.ingest.fields.rows.elements import split_elements
from components.ingest.read.records import WRONG_KIND, Values

ITEM_LIST = pa.large_list(pa.large_string())


def keep_lists(values: Values) -> ConvertedColumn:
    """large_list<large_string> [n]: `values` if they are such lists, as `expand_rows` makes them;
    otherwise null.
    """
    if not isinstance(values, list) and values.type == ITEM_LIST:
        return ConvertedColumn(values, [])
    return ConvertedColumn(pa.nulls(len(values), ITEM_LIST), [])


def convert_item_lists(values: Values, separator: str) -> ConvertedColumn:
    """large_list<large_string> [n]: ids; a list is empty where the value is missing. A value that
    is no id makes its list unreadable.
    """
    elements = split_elements(values, separator)
    ids, wrong, inexact = coerce_ids(elements.values)
    bad = np.zeros(len(elements.counts), bool)
    bad[elements.rows[wrong | inexact]] = True
    offsets = np.concatenate([[0], np.cumsum(elements.counts)]).astype(np.int64)
    lists = pa.LargeListArray.from_arrays(pa.array(offsets), ids)
    return ConvertedColumn(lists, [(WRONG_KIND, bad)])
