"""Long tables of items, one row per item, property and time -> one record per item."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.conversion import ConvertedFields, convert_records
from components.ingest.fields.table_spec import (
    FILE,
    ITEM_ID,
    LINE,
    MOMENT,
    PROPERTY,
    VALUE,
    TableSpec,
)
from components.ingest.fields.timestamps import NANOSECONDS_PER_SECOND
from components.ingest.read.records import Records


class PropertyValues(NamedTuple):
    """The values of a long table at one time."""

    fields: ConvertedFields
    """Fields of all items of the table, sorted by id."""
    used: int
    """Number of rows whose values are used."""
    superseded: pa.Table
    """Rows with an earlier value of an item's property."""
    unused: int
    """Rows with a value from the end on, or of an undeclared property."""


def prune_properties(rows: pa.Table, declared: frozenset[str]) -> pa.Table:
    """Returns the rows of the declared properties, and one row of each item that has no other, so
    that the item is known. A long table can have many properties that nobody uses.
    """
    keep = _is_declared(rows, declared)
    known = rows[ITEM_ID].filter(pa.array(keep)).unique()
    ids = rows[ITEM_ID].combine_chunks().dictionary_encode()
    _, first = np.unique(ids.indices.to_numpy(), return_index=True)
    bare = ~pc.is_in(ids.dictionary, known.cast(ids.dictionary.type)).to_numpy(False)
    keep[first[bare]] = True
    return rows.filter(pa.array(keep))


def select_values(rows: pa.Table, spec: TableSpec, end: int | None) -> PropertyValues:
    """Selects each item's latest value of each property before `end`; of values of the same time,
    that in the last line of the last file.

    Args:
        rows: Accepted rows of the table, with FILE and LINE.
        spec: Specification of the table whose fields are those of the items.
        end: Seconds since epoch, UTC; None for the latest values.
    """
    items = pc.unique(rows[ITEM_ID].combine_chunks())
    items = items.take(pc.sort_indices(items))
    key, *columns = {column: None for field in spec.fields for column in field.columns}
    valid = _is_declared(rows, frozenset(columns))
    if end is not None:
        valid &= rows[MOMENT].to_numpy() < end * NANOSECONDS_PER_SECOND
    order = [(name, "ascending") for name in (ITEM_ID, PROPERTY, MOMENT, FILE, LINE)]
    ordered = rows.filter(pa.array(valid)).sort_by(order).combine_chunks()
    last = _is_last_of_run(ordered)
    latest = ordered.filter(pa.array(last))
    values = {column: _align_values(latest, column, items) for column in columns}
    records = Records({key: items, **values}, np.arange(len(items)), {})
    superseded = ordered.filter(pa.array(~last))
    unused = rows.num_rows - ordered.num_rows
    return PropertyValues(convert_records(records, spec), latest.num_rows, superseded, unused)


def _is_declared(rows: pa.Table, declared: frozenset[str]) -> np.ndarray:
    names = pa.array(sorted(declared), pa.large_string())
    return pc.is_in(rows[PROPERTY].combine_chunks(), names).to_numpy(zero_copy_only=False).copy()


def _is_last_of_run(ordered: pa.Table) -> np.ndarray:
    """bool [rows]: whether the next row has another item or property."""
    last = np.ones(ordered.num_rows, bool)
    if ordered.num_rows > 1:
        last[:-1] = False
        for name in (ITEM_ID, PROPERTY):
            column = ordered[name].combine_chunks()
            last[:-1] |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    return last


def _align_values(latest: pa.Table, column: str, items: pa.Array) -> pa.Array:
    """large_string [items], null where the item has no value."""
    own = latest.filter(pc.equal(latest[PROPERTY], column))
    row = pc.index_in(items, own[ITEM_ID].combine_chunks())
    return own[VALUE].combine_chunks().take(row)
