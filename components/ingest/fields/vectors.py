"""Vectors: precomputed embeddings, in one list column or in one column per number."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.coercion import to_float
from components.ingest.fields.converted import ConvertedColumn
from components.ingest.fields.kinds import FLOAT32_MAX, convert_numbers
from components.ingest.fields.number_form import PLAIN, NumberForm
from components.ingest.read.nested.literal_text import parse_literal
from components.ingest.read.number_text import is_number_type
from components.ingest.read.records import BAD_NUMBER, WRONG_KIND, Values


def convert_lists(values: Values, size: int) -> ConvertedColumn:
    """Returns list<float> of `size` finite numbers, null if absent; text must be a JSON list."""
    if not isinstance(values, list):
        if _holds_lists_of_numbers(values.type):
            return _convert_arrow_lists(values, size)
        values = values.to_pylist()
    cells, bad, wrong = [], [], []
    for value in map(_parse_list, values):
        is_list = isinstance(value, list) and len(value) == size and all(map(_is_number, value))
        cell = np.array([to_float(number) for number in value]) if is_list else np.zeros(0)
        is_finite = bool((np.abs(cell) <= FLOAT32_MAX).all())
        cells.append(cell.astype(np.float32) if is_list and is_finite else None)
        wrong.append(value is not None and not is_list)
        bad.append(not is_finite)
    faults = [(WRONG_KIND, np.array(wrong, bool)), (BAD_NUMBER, np.array(bad, bool))]
    return ConvertedColumn(pa.array(cells, pa.list_(pa.float32())), faults)


def convert_columns(*columns: Values, form: NumberForm = PLAIN) -> ConvertedColumn:
    """Converts columns to list<float> with one number per column, null if all are absent.

    A record with only some of the numbers is of the wrong kind.
    """
    converted = [convert_numbers(values, form) for values in columns]
    cells = np.column_stack([_fill_nan(column.array) for column in converted])
    faults = [_combine_faults(converted, reason) for reason in (WRONG_KIND, BAD_NUMBER)]
    refused = faults[0] | faults[1]
    present = np.column_stack([column.array.is_valid().to_numpy(False) for column in converted])
    some = present.any(axis=1) & ~present.all(axis=1) & ~refused
    array = _build_lists(cells, present.all(axis=1) & ~refused)
    return ConvertedColumn(array, [(WRONG_KIND, faults[0] | some), (BAD_NUMBER, faults[1])])


def _convert_arrow_lists(values: pa.Array, size: int) -> ConvertedColumn:
    """Like `convert_lists`, for list<number>."""
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
    present = values.is_valid().to_numpy(zero_copy_only=False)
    fits = present & (lengths == size)
    cells = np.full((len(values), size), np.nan)
    flat = pc.cast(values.filter(pa.array(fits)).flatten(), pa.float64())
    cells[fits] = _fill_nan(flat).reshape(-1, size)
    holes = np.zeros((len(values), size), bool)
    holes[fits] = ~flat.is_valid().to_numpy(zero_copy_only=False).reshape(-1, size)
    wrong = (present & ~fits) | holes.any(axis=1)
    bad = fits & ~wrong & ~(np.abs(cells) <= FLOAT32_MAX).all(axis=1)
    faults = [(WRONG_KIND, wrong), (BAD_NUMBER, bad)]
    return ConvertedColumn(_build_lists(cells, fits & ~wrong & ~bad), faults)


def _holds_lists_of_numbers(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) and is_number_type(kind.value_type)


def _build_lists(cells: np.ndarray, present: np.ndarray) -> pa.Array:
    """[n, size] -> list<float> [n], null if not `present`."""
    offsets = np.concatenate([[0], np.cumsum(present * cells.shape[1])]).astype(np.int32)
    # A null offset makes its list null; the offset after the last list is never null.
    absent = np.append(~present, False)
    flat = cells[present].astype(np.float32).ravel()
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32(), mask=absent), pa.array(flat))


def _combine_faults(converted: list[ConvertedColumn], reason: str) -> np.ndarray:
    return np.any(
        [flags for column in converted for why, flags in column.faults if why == reason], axis=0
    )


def _fill_nan(array: pa.Array) -> np.ndarray:
    return pc.fill_null(array, np.nan).to_numpy(zero_copy_only=False)


def _parse_list(value: Any) -> Any:
    """Parses a vector in a text column; an empty text is None."""
    if not isinstance(value, str):
        return value
    return (parse_literal(value) or value) if value else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
