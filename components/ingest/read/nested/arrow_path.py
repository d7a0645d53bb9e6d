"""Paths into Arrow columns: which of them exist, and the arrays below structs."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.read.nested.column_path import Step, parse_column_path


def has_path(schema: pa.Schema, name: str) -> bool:
    """Returns whether `name` is a path to a field. Text may hold anything, and counts as one."""
    path = parse_column_path(name)
    if path is None or path.column not in schema.names:
        return False
    kind = schema.field(path.column).type
    for step in path.steps:
        if kind is None or _is_text(kind):
            break
        kind = _find_child(kind, step)
    return kind is not None


def list_leaves(schema: pa.Schema, names: Iterable[str]) -> list[str]:
    """Returns the existing columns and fields of structs that have to be read for `names`, in the
    syntax of Parquet readers.
    """
    leaves = set()
    for name in names:
        path = parse_column_path(name)
        if name in schema.names:
            leaves.add(name)
        elif path is not None and path.column in schema.names:
            keys = _list_struct_keys(schema.field(path.column).type, path.steps)
            leaves.add(".".join([path.column, *keys]))
    return sorted(leaves)


def follow_structs(array: pa.Array, steps: Sequence[Step]) -> tuple[pa.Array, Sequence[Step]]:
    """Returns the array below the leading keys that are fields of structs, and the other steps."""
    keys = _list_struct_keys(array.type, steps)
    for key in keys:
        array = pc.struct_field(array, [array.type.get_field_index(key)])
    return array, steps[len(keys) :]


def _list_struct_keys(kind: pa.DataType, steps: Sequence[Step]) -> list[str]:
    keys = []
    for step in steps:
        if not isinstance(step, str) or not pa.types.is_struct(kind):
            break
        child = _find_child(kind, step)
        if child is None:
            break
        keys.append(step)
        kind = child
    return keys


def _find_child(kind: pa.DataType, step: Step) -> pa.DataType | None:
    if not isinstance(step, str):
        is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
        return kind.value_type if is_list or pa.types.is_fixed_size_list(kind) else None
    if pa.types.is_map(kind):
        return kind.item_type
    index = kind.get_field_index(step) if pa.types.is_struct(kind) else -1
    return kind[index].type if index >= 0 else None


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
