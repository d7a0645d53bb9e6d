"""The catalogue: accepted records of its tables -> one record per item."""

from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.events.joined_tables import (
    TableMatches,
    join_tables,
    tally_matches,
    tally_repeated,
)
from components.ingest.events.log import LatestRecords, keep_latest
from components.ingest.fields.item_properties import select_values
from components.ingest.fields.table_fields import build_attribute_fields
from components.ingest.fields.table_spec import TableSpec
from components.ingest.output import counts, dead_letters
from components.ingest.read.records import DUPLICATE_ID
from schema import timeline
from schema.dataset import Dataset
from schema.sources import name_table


def list_properties(dataset: Dataset, number: int) -> frozenset[str] | None:
    """Returns the properties that the catalogue's table `number` is read for; None unless it is a
    long table.
    """
    if dataset.data.item_tables[number].properties is None:
        return None
    _, *fields = build_attribute_fields(dataset, number)
    return frozenset(column for field in fields for column in field.columns)


def build_catalogue(
    tables: Sequence[pa.Table], letters: Sequence[str], dataset: Dataset, test_cut: int | None
) -> tuple[pa.Table, list[tuple[str, int]]]:
    """Joins the tables to one record per item, sorted by id, whose title is the id if there is
    none. Writes the dead letters of repeated ids if the configuration rejects them.

    Args:
        tables: Accepted records of each table, with origin columns.
        letters: Folder or URL of the dead letters of each table.
        dataset: Description of the tables.
        test_cut: Start of the test split, in seconds since epoch, UTC, for properties without
            `as_of`; None for their latest values.

    Returns:
        The items, and the tallies of accepted, unused, repeated and rejected records.
    """
    latest: list[LatestRecords] = []
    long: dict[int, TableMatches] = {}
    tallies: list[tuple[str, int]] = []
    for number, rows in enumerate(tables):
        if dataset.data.item_tables[number].properties is None:
            latest.append(keep_latest(rows, timeline.ITEM_ID))
            continue
        known = latest[0].kept[timeline.ITEM_ID] if latest else None
        records, long[number], unreadable = _read_long(rows, known, dataset, number, test_cut)
        latest.append(records)
        tallies += unreadable
    items, matches = join_tables(latest, timeline.ITEM_ID)
    matches = [long.get(number, match) for number, match in enumerate(matches)]
    return fill_titles(items), tallies + tally_matches("items", matches) + _tally_repeated(
        matches, long.keys(), letters, dataset
    )


def _read_long(
    rows: pa.Table,
    known: pa.ChunkedArray | None,
    dataset: Dataset,
    number: int,
    test_cut: int | None,
) -> tuple[LatestRecords, TableMatches, list[tuple[str, int]]]:
    """The items of a long table, of those `known` if it is not the first."""
    own = rows
    if known is not None:
        own = rows.filter(pc.is_in(rows[timeline.ITEM_ID], known.combine_chunks()))
    source = dataset.data.item_tables[number]
    spec = TableSpec("items", source, build_attribute_fields(dataset, number), 1, number=number)
    as_of = None if source.properties is None else source.properties.as_of
    values = select_values(own, spec, test_cut if as_of is None else int(as_of.timestamp()))
    unused = values.unused + rows.num_rows - own.num_rows
    unreadable = [
        (counts.name_unreadable_tally(spec.name, key, example), n)
        for (key, example), n in values.fields.unreadable.items()
    ]
    records = LatestRecords(pa.table(values.fields.arrays), values.superseded)
    return records, TableMatches(values.used, unused, values.superseded), unreadable


def _tally_repeated(
    matches: Sequence[TableMatches],
    long: Collection[int],
    letters: Sequence[str],
    dataset: Dataset,
) -> list[tuple[str, int]]:
    """Repeated ids are duplicates, or rejected; an item has several rows in a long table."""
    tallies = tally_repeated("items", matches)
    if dataset.data.item_tables[0].duplicates == "last":
        return tallies
    for number in set(range(len(matches))) - set(long):
        repeated = matches[number].repeated
        dead_letters.write_late(letters[number], 0, {DUPLICATE_ID: repeated})
        rejected = counts.name_tally(name_table("items", number), "rejected", DUPLICATE_ID)
        tallies[number] = (rejected, repeated.num_rows)
    return tallies


def tally_columns_without_values(
    items: pa.Table, records: int, dataset: Dataset
) -> list[tuple[str, int]]:
    """Returns tallies of unreadable values for the features that no item has, if they can be
    properties: the preflight cannot know the names of properties. `records` is the number of the
    first table's records, for which the data are then refused.
    """
    if all(table.properties is None for table in dataset.data.item_tables):
        return []
    example = "no item has a value, before the time up to which properties are read"
    return [
        (counts.name_unreadable_tally("items", f"features.items.{name}", example), records)
        for name in dataset.features.items
        if items[timeline.name_item_feature(name)].null_count == items.num_rows
    ]


def fill_titles(items: pa.Table) -> pa.Table:
    """Fills the title of each item without one with its id."""
    ids = items[timeline.ITEM_ID]
    if timeline.TITLE not in items.column_names:
        return items.append_column(timeline.TITLE, ids)
    title = pc.coalesce(items[timeline.TITLE], ids)
    return items.set_column(items.column_names.index(timeline.TITLE), timeline.TITLE, title)
