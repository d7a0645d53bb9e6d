"""Joins the tables of a catalogue, or of users, by id."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.events.log import LatestRecords
from components.ingest.output import counts, shards
from schema.sources import name_table


class TableMatches(NamedTuple):
    """What became of the records of one table."""

    accepted: int
    unused: int
    """Records whose id is not in the first table."""
    repeated: pa.Table
    """Records with the id of a later record of the same table."""


class JoinedTables(NamedTuple):
    """The records of the first table, with the columns of all."""

    records: pa.Table
    """Sorted by id, one record per id."""
    matches: list[TableMatches]
    """By table."""


def join_tables(tables: Sequence[LatestRecords], key: str) -> JoinedTables:
    """Adds the columns of later tables to the records of the first, by the id in `key`.

    If several tables have a value of a column, that of the first of them is used; a null and an
    empty set are not values.
    """
    first, *later = tables
    records = first.kept
    matches = [TableMatches(records.num_rows, 0, first.repeated)]
    for kept, repeated in later:
        known = pc.sum(pc.is_in(kept[key], records[key].combine_chunks())).as_py() or 0
        matches.append(TableMatches(known, kept.num_rows - known, repeated))
        records = _add_columns(records, kept, key)
    return JoinedTables(records, matches)


def unpack_tables(kind: str, parts: Mapping[str, Iterable[bytes]], count: int) -> list[pa.Table]:
    """Unpacks the `count` tables of a kind from their packed `parts` by name. A table without parts
    is empty; the result is empty if no table has parts.
    """
    tables = [shards.unpack(parts.get(name_table(kind, number), ())) for number in range(count)]
    filled = [table for table in tables if table is not None]
    return [filled[0].slice(0, 0) if table is None else table for table in tables] if filled else []


def _add_columns(records: pa.Table, added: pa.Table, key: str) -> pa.Table:
    row = pc.index_in(records[key], added[key].combine_chunks())
    for name in added.column_names:
        if name == key:
            continue
        values = added[name].combine_chunks().take(row.combine_chunks())
        if name not in records.column_names:
            records = records.append_column(name, values)
            continue
        own = _clear_empty(records[name].combine_chunks())
        at = records.column_names.index(name)
        records = records.set_column(at, name, pc.coalesce(own, values))
    return records


def _clear_empty(values: pa.Array) -> pa.Array:
    if not (pa.types.is_list(values.type) or pa.types.is_large_list(values.type)):
        return values
    filled = pc.greater(pc.list_value_length(values), 0)
    return pc.if_else(filled, values, pa.scalar(None, values.type))


def tally_matches(kind: str, matches: Sequence[TableMatches]) -> list[tuple[str, int]]:
    """Returns the tallies of accepted and unused records; `kind` is items or users."""
    return [
        (counts.name_tally(name_table(kind, number), what), n)
        for number, table in enumerate(matches)
        for what, n in (("accepted", table.accepted), ("unused", table.unused))
    ]


def tally_repeated(kind: str, matches: Sequence[TableMatches]) -> list[tuple[str, int]]:
    """Returns the tallies of repeated records as duplicates."""
    return [
        (counts.name_tally(name_table(kind, number), "duplicates"), table.repeated.num_rows)
        for number, table in enumerate(matches)
    ]
