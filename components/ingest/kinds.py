"""One column of one kind or role: values as they came -> a typed Arrow array and its faults."""

import json
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.as_text import as_number, as_text, to_float
from components.ingest.records import Values
from components.ingest.rejection import (
    BAD_ID,
    BAD_NUMBER,
    BAD_TIMESTAMP,
    OVERLONG_ID,
    WRONG_KIND,
)
from schema.features import Feature, Set, Vector

LONGEST_ID = 1024
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_INT64_SECONDS = 2.0**62


class Converted(NamedTuple):
    """A column [n], and which of its records it refuses: (reason, bool [n]), weightiest first."""

    array: pa.Array
    faults: list[tuple[str, np.ndarray]]


def identifiers(values: Values, missing: str) -> Converted:
    """large_string. `missing` is the reason for an id that is absent, empty or blank."""
    text, wrong = as_text(values)
    faults = [
        (WRONG_KIND, wrong),
        (missing, _true(pc.equal(pc.fill_null(pc.utf8_trim_whitespace(text), ""), ""))),
        (OVERLONG_ID, _true(pc.greater(pc.binary_length(text), LONGEST_ID))),
        (BAD_ID, _true(pc.match_substring_regex(text, pattern=r"[\r\n\x00]"))),
    ]
    return Converted(text, faults)


def numbers(values: Values) -> Converted:
    """float64, null where absent; every number fits into 32 bits."""
    array, bad, wrong = as_number(values)
    bad = bad | _true(pc.greater(pc.abs(array), _FLOAT32_MAX))
    return Converted(array, [(WRONG_KIND, wrong), (BAD_NUMBER, bad)])


def texts(values: Values) -> Converted:
    """large_string, null where absent or empty."""
    text, wrong = as_text(values)
    return Converted(text, [(WRONG_KIND, wrong)])


def positives(values: Values, at_least: float) -> Converted:
    """int64: 1 where the number is `at_least` or more, 0 where less or absent."""
    array, faults = numbers(values)
    reached = pc.fill_null(pc.greater_equal(array, at_least), False)
    return Converted(pc.cast(reached, pa.int64()), faults)


def always_positive(values: Values) -> Converted:
    """int64: 1 for each record, whatever the column holds."""
    return Converted(pa.array(np.ones(len(values), np.int64)), [])


def feature_values(values: Values, feature: Feature) -> Converted:
    """A declared feature; null where absent.

    category, text: large_string; set: list<large_string>; number: float64; timestamp: int64
    seconds; vector: list<float>.
    """
    if isinstance(feature, Set):
        return _sets(values, feature.separator)
    if isinstance(feature, Vector):
        return _vectors(values, feature.size)
    if feature.kind == "number":
        return numbers(values)
    if feature.kind == "timestamp":
        return _moments(values)
    return texts(values)


def _moments(values: Values) -> Converted:
    array, bad, wrong = as_number(values)
    bad = bad | _true(pc.greater(pc.abs(array), _INT64_SECONDS))
    safe = pc.if_else(pa.array(bad), pa.scalar(None, pa.float64()), array)
    seconds = pc.cast(pc.floor(safe), pa.int64(), safe=False)
    return Converted(seconds, [(WRONG_KIND, wrong), (BAD_TIMESTAMP, bad)])


def _sets(values: Values, separator: str) -> Converted:
    values = _objects(values)
    members = [
        value.split(separator) if isinstance(value, str) else _members(value) for value in values
    ]
    rows = [None if row is None else [member for member in row if member] for row in members]
    wrong = [row is None and value is not None for row, value in zip(rows, values, strict=True)]
    return Converted(
        pa.array(rows, pa.list_(pa.large_string())), [(WRONG_KIND, np.array(wrong, bool))]
    )


def _objects(values: Values) -> list[Any]:
    return values if isinstance(values, list) else values.to_pylist()


def _members(value: Any) -> list[str] | None:
    """Texts of a JSON list, or of a single number or boolean; None where `value` is no set."""
    if isinstance(value, (bool, int, float)):
        value = [value]
    if not isinstance(value, list):
        return None
    texts, wrong = as_text(value)
    return None if wrong.any() else [text for text in texts.to_pylist() if text is not None]


def _vectors(values: Values, size: int) -> Converted:
    values = _objects(values)
    cells, bad, wrong = [], [], []
    for value in map(_list_in, values):
        is_list = isinstance(value, list) and len(value) == size and all(map(_is_number, value))
        cell = np.array([to_float(one) for one in value]) if is_list else np.zeros(0)
        is_finite = bool((np.abs(cell) <= _FLOAT32_MAX).all())
        cells.append(cell.astype(np.float32) if is_list and is_finite else None)
        wrong.append(value is not None and not is_list)
        bad.append(not is_finite)
    faults = [(WRONG_KIND, np.array(wrong, bool)), (BAD_NUMBER, np.array(bad, bool))]
    return Converted(pa.array(cells, pa.list_(pa.float32())), faults)


def _list_in(value: Any) -> Any:
    """A vector in a text column is a JSON list; an empty text is none."""
    if not isinstance(value, str):
        return value
    if not value:
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _true(flags: pa.Array) -> np.ndarray:
    return pc.fill_null(flags, False).to_numpy(zero_copy_only=False)
