"""The tables of one kind as the preflight sees them, and the columns that their files have."""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from components.ingest.fields.table_fields import (
    build_interaction_fields,
    build_item_fields,
    build_user_fields,
)
from components.ingest.fields.table_spec import Field
from components.ingest.read import parquet_file
from components.ingest.read.layout import read_layout
from components.ingest.read.nested.arrow_path import has_path
from components.ingest.read.nested.column_path import has_value, parse_column_path, starts_in
from components.ingest.read.objects.object_sample import sample_objects
from components.ingest.read.pairs.columns import list_pair_columns
from components.ingest.read.partitions import parse_partitions
from schema.dataset import Dataset
from schema.sources import InteractionsSource, ItemsSource, Source, name_table

_BUILDERS: dict[str, Callable[[Dataset, int], list[Field]]] = {
    "interactions": build_interaction_fields,
    "items": build_item_fields,
    "users": build_user_fields,
}


class InputTable(NamedTuple):
    """A table, and the fields whose columns its files must have."""

    kind: str
    name: str
    source: Source
    fields: Sequence[Field]


def list_input_tables(dataset: Dataset, kind: str) -> list[InputTable]:
    """Returns the tables of a kind: interactions, items or users."""
    return [
        InputTable(kind, name_table(kind, number), source, _BUILDERS[kind](dataset, number))
        for number, source in enumerate(dataset.data.get_tables(kind))
    ]


def omit_columns_of_others(
    tables: Sequence[InputTable], files: Sequence[list[str]]
) -> list[InputTable]:
    """Returns the tables without optional fields whose columns only other tables have.

    `files` are the paths of each table. The names of properties, in a long table of items, are in
    its records: every optional field of the other tables can be one.
    """
    if len(tables) == 1:
        return list(tables)
    found = [_find_columns(table, paths) for table, paths in zip(tables, files, strict=True)]
    return [_omit_fields(number, tables, found) for number in range(len(tables))]


def _find_columns(table: InputTable, paths: list[str]) -> set[str]:
    """Columns that at least one file has, and those with a constant."""
    if table.source.format == "csv":
        names = [list_delimited_columns(table, path) for path in paths]
    elif table.source.format == "parquet":
        names = [list_parquet_columns(table, path) or [] for path in paths]
    elif isinstance(table.source, InteractionsSource) and table.source.has_positions:
        names = [list_pair_columns(table.source)]
    else:
        _, objects = sample_objects(paths, table.source)
        names = [list_object_columns(table, paths, objects)]
    return set(itertools.chain(table.source.made_columns, *names))


def _omit_fields(
    number: int, tables: Sequence[InputTable], found: Sequence[set[str]]
) -> InputTable:
    table, others = tables[number], [columns for n, columns in enumerate(found) if n != number]
    if _is_long(table):
        return table
    has_properties = any(map(_is_long, tables))

    def is_elsewhere(field: Field) -> bool:
        own = not found[number].isdisjoint(field.columns)
        there = has_properties or any(map(set(field.columns).issubset, others))
        return field.optional and there and not own

    return table._replace(fields=[field for field in table.fields if not is_elsewhere(field)])


def _is_long(table: InputTable) -> bool:
    return isinstance(table.source, ItemsSource) and table.source.properties is not None


def list_delimited_columns(table: InputTable, path: str) -> list[str]:
    """Returns the columns of a file of delimited text, and what the table reads below them."""
    own = [name or "" for name in read_layout(path, table.source).names]
    names = [*own, *parse_partitions(path)]
    return names + list(_list_paths(table, functools.partial(starts_in, columns=tuple(names))))


def list_parquet_columns(table: InputTable, path: str) -> list[str] | None:
    """Like `list_delimited_columns`, of a Parquet file; None if it is damaged."""
    schema = parquet_file.read_schema(path)
    if schema is None:
        return None
    nested = _list_paths(table, functools.partial(has_path, schema))
    return [*schema.names, *parse_partitions(path), *nested.difference(schema.names)]


def list_object_columns(
    table: InputTable, paths: list[str], objects: list[dict[str, Any]]
) -> list[str]:
    """Like `list_delimited_columns`, of `objects` from the files."""
    keys = dict.fromkeys(itertools.chain.from_iterable(objects))
    nested = _list_paths(table, lambda name: any(has_value(each, name) for each in objects))
    return [*keys, *(nested - keys.keys()), *parse_partitions(paths[0])]


def _list_paths(table: InputTable, exists: Callable[[str], bool]) -> set[str]:
    """Returns the columns of the table that are paths to something that `exists`."""
    names = {column for field in table.fields for column in field.columns}
    return {name for name in names if parse_column_path(name) is not None and exists(name)}
