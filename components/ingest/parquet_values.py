"""A Parquet column, whatever its type -> `Values`, which the kinds know how to read."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.read.number_text import is_number
from components.ingest.read.records import Values


def as_values(array: pa.Array) -> tuple[Values, np.ndarray]:
    """-> (values [n], bool [n]: bytes that are no UTF-8; such a value is null).

    Times stay as exact as they are, and days become times; without a zone they are UTC, as most
    engines write them. What has no simple form (structs, lists of text,
    maps) becomes Python objects, as from JSON.
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return as_values(array.dictionary_decode())
    if _is_text(kind):
        return _text(array)
    clean = np.zeros(len(array), bool)
    if pa.types.is_date(kind):
        return pc.cast(array, pa.timestamp("s" if pa.types.is_date32(kind) else "ms")), clean
    if pa.types.is_timestamp(kind):
        return array, clean
    if is_number(kind) or (pa.types.is_list(kind) and is_number(kind.value_type)):
        return array, clean
    return _objects(array)


def _is_text(kind: pa.DataType) -> bool:
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def _text(array: pa.Array) -> tuple[Values, np.ndarray]:
    raw = pc.cast(array, pa.large_binary())  # Arrow takes a file's word for it that text is UTF-8
    try:
        return pc.cast(raw, pa.large_string()), np.zeros(len(array), bool)
    except pa.ArrowInvalid:
        texts = [_decoded(value) for value in raw.to_pylist()]
    bad = raw.is_valid().to_numpy(zero_copy_only=False) & np.array([t is None for t in texts], bool)
    return pa.array(texts, pa.large_string()), bad


def _objects(array: pa.Array) -> tuple[Values, np.ndarray]:
    try:
        return array.to_pylist(), np.zeros(len(array), bool)
    except UnicodeDecodeError:  # somewhere within a list or a struct
        values = [_object(scalar) for scalar in array]
    bad = array.is_valid().to_numpy(False) & np.array([value is None for value in values], bool)
    return values, bad


def _object(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return None


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
