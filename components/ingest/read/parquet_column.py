"""One column of a Parquet file: a path into it, and its values in one of few types."""

import uuid
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.read.nested.arrow_path import follow_structs
from components.ingest.read.nested.column_path import parse_column_path, read_value
from components.ingest.read.nested.extended_json import pack_times
from components.ingest.read.number_text import is_number_type
from components.ingest.read.records import Values

_UUID_BYTES = 16


def read_column(table: pa.Table, name: str) -> tuple[Values, np.ndarray] | None:
    """Returns what `normalize_column` returns for a column or path; None if the table lacks it."""
    if name in table.column_names:
        return normalize_column(table[name].combine_chunks())
    path = parse_column_path(name)
    if path is None or path.column not in table.column_names:
        return None
    array, steps = follow_structs(table[path.column].combine_chunks(), path.steps)
    values, bad = normalize_column(array)
    if not steps:
        return values, bad
    objects = values if isinstance(values, list) else values.to_pylist()
    return pack_times([read_value(value, steps) for value in objects]), bad


def normalize_column(array: pa.Array) -> tuple[Values, np.ndarray]:
    """Returns values [n], and bool [n]: whether the value is not valid UTF-8 and therefore null.

    Timestamps keep their resolution, and dates become timestamps; without a time zone they are UTC,
    as most engines write them. Binary values of exactly 16 bytes are UUIDs, and become text. Other
    types (structs, lists of text, maps) become Python objects, as from JSON.
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return normalize_column(array.dictionary_decode())
    if kind == pa.binary(_UUID_BYTES):
        return _format_uuids(array), np.zeros(len(array), bool)
    if _is_text(kind):
        return _decode_texts(array)
    clean = np.zeros(len(array), bool)
    if pa.types.is_date(kind):
        return pc.cast(array, pa.timestamp("s" if pa.types.is_date32(kind) else "ms")), clean
    if pa.types.is_timestamp(kind):
        return array, clean
    if is_number_type(kind) or (pa.types.is_list(kind) and is_number_type(kind.value_type)):
        return array, clean
    return _build_objects(array)


def _format_uuids(array: pa.Array) -> pa.Array:
    texts = [None if raw is None else str(uuid.UUID(bytes=raw)) for raw in array.to_pylist()]
    return pa.array(texts, pa.large_string())


def _is_text(kind: pa.DataType) -> bool:
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _decode_texts(array: pa.Array) -> tuple[Values, np.ndarray]:
    raw = pc.cast(array, pa.large_binary())  # Arrow does not check that text in a file is UTF-8
    try:
        return pc.cast(raw, pa.large_string()), np.zeros(len(array), bool)
    except pa.ArrowInvalid:
        texts = [_decode_text(value) for value in raw.to_pylist()]
    bad = raw.is_valid().to_numpy(zero_copy_only=False) & np.array([t is None for t in texts], bool)
    return pa.array(texts, pa.large_string()), bad


def _build_objects(array: pa.Array) -> tuple[Values, np.ndarray]:
    try:
        return array.to_pylist(), np.zeros(len(array), bool)
    except UnicodeDecodeError:  # somewhere within a list or a struct
        values = [_build_object(scalar) for scalar in array]
    bad = array.is_valid().to_numpy(False) & np.array([value is None for value in values], bool)
    return values, bad


def _build_object(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return None


def _decode_text(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
