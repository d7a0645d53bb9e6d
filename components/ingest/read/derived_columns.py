"""Columns of records that the file does not have as such: paths into its columns, keys in the names
of its folders, and columns that only other files of the table have.
"""

from collections.abc import Collection
from typing import Any

import pyarrow as pa

from components.ingest.read.nested.column_path import parse_column_path, read_value
from components.ingest.read.nested.extended_json import unwrap_objects
from components.ingest.read.partitions import parse_partitions
from components.ingest.read.records import Records, Values


def derive_columns(records: Records, names: Collection[str], path: str) -> Records:
    """Returns the records with exactly the columns `names`.

    A column of the file is preferred to a path, and both to a key `key=value` of a folder; where
    a record has no value, the key's is used. A column that is nowhere is null.

    Args:
        records: Records with columns of the file.
        names: Names of columns, paths, or keys.
        path: Path of the file.
    """
    derived = frozenset(names) - records.columns.keys()
    columns = {name: _read_column(name, records) for name in names}
    for name, value in parse_partitions(path).items():
        if name in columns and value is not None:
            columns[name] = _fill(columns[name], value)
    return records._replace(columns=columns, derived=records.derived | derived)


def _read_column(name: str, records: Records) -> Values:
    path = parse_column_path(name)
    if name in records.columns:
        return records.columns[name]
    if path is None or path.column not in records.columns:
        return pa.nulls(len(records.index), pa.large_string())
    values = records.columns[path.column]
    objects = values if isinstance(values, list) else values.to_pylist()
    return unwrap_objects([read_value(value, path.steps) for value in objects])


def _fill(values: Values, value: str) -> Values:
    """Replaces what is missing; a column without values becomes text."""
    objects: list[Any] = values if isinstance(values, list) else values.to_pylist()
    if all(each is None for each in objects):
        return pa.array([value] * len(objects), pa.large_string())
    return [value if each is None else each for each in objects]
