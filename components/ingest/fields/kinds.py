"""One column of one kind or role: values as they came -> a typed Arrow array and its faults."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.coercion import as_identifier, as_number, as_text
from components.ingest.read.records import Values
from components.ingest.rejection import (
    BAD_BOOLEAN,
    BAD_ID,
    BAD_NUMBER,
    BAD_TIMESTAMP,
    INEXACT_ID,
    OVERLONG_ID,
    WRONG_KIND,
)
from schema.features import Feature, Set

LONGEST_ID = 1024
FLOAT32_MAX = float(np.finfo(np.float32).max)
_INT64_SECONDS = 2.0**62
_SET = pa.list_(pa.large_string())
_YES = ("true", "1", "1.0")
_NO = ("false", "0", "0.0")


class Converted(NamedTuple):
    """A column [n], and which of its records it refuses: (reason, bool [n]), weightiest first."""

    array: pa.Array
    faults: list[tuple[str, np.ndarray]]


def identifiers(values: Values, missing: str) -> Converted:
    """large_string. `missing` is the reason for an id that is absent, empty or blank."""
    text, wrong, inexact = as_identifier(values)
    numeric = [(WRONG_KIND, wrong), (INEXACT_ID, inexact)]
    overlong = _true(pc.greater(pc.binary_length(text), LONGEST_ID))
    if _is_visible_ascii(text):
        absent = ~text.is_valid().to_numpy(False)
        return Converted(text, [*numeric, (missing, absent), (OVERLONG_ID, overlong)])
    blank = _true(pc.equal(pc.fill_null(pc.utf8_trim_whitespace(text), ""), ""))
    broken = _true(pc.match_substring_regex(text, pattern=r"[\r\n\x00]"))
    faults = [*numeric, (missing, blank), (OVERLONG_ID, overlong), (BAD_ID, broken)]
    return Converted(text, faults)


def numbers(values: Values) -> Converted:
    """float64, null where absent; every number fits into 32 bits."""
    array, bad, wrong = as_number(values)
    bad = bad | _true(pc.greater(pc.abs(array), FLOAT32_MAX))
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


def availabilities(values: Values) -> Converted:
    """int64: 1 where the item may be recommended or nothing is said, 0 where it may not.

    Case and blanks around are nothing; pandas writes `1.0` where a column has holes.
    """
    text, wrong = as_text(values)
    word = pc.utf8_lower(pc.utf8_trim_whitespace(text))
    yes, no = (_true(pc.is_in(word, value_set=pa.array(w, pa.large_string()))) for w in (_YES, _NO))
    bad = ~yes & ~no & _true(pc.not_equal(word, ""))
    return Converted(pa.array((~no).astype(np.int64)), [(WRONG_KIND, wrong), (BAD_BOOLEAN, bad)])


def always_positive(values: Values) -> Converted:
    """int64: 1 for each record, whatever the column holds."""
    return Converted(pa.array(np.ones(len(values), np.int64)), [])


def feature_values(values: Values, feature: Feature) -> Converted:
    """A declared feature, but for vectors (see `vectors`); null where absent.

    category, text: large_string; set: list<large_string>; number: float64; timestamp: int64
    seconds.
    """
    if isinstance(feature, Set):
        return _sets(values, feature.separator)
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
    if not isinstance(values, list) and pa.types.is_list(values.type):
        return _number_sets(values)
    if not isinstance(values, list):
        if not pa.types.is_large_string(values.type):
            return _single_sets(values)
        values = values.to_pylist()
    members = [
        value.split(separator) if isinstance(value, str) else _members(value) for value in values
    ]
    rows = [None if row is None else [member for member in row if member] for row in members]
    wrong = [row is None and value is not None for row, value in zip(rows, values, strict=True)]
    return Converted(pa.array(rows, _SET), [(WRONG_KIND, np.array(wrong, bool))])


def _number_sets(values: pa.Array) -> Converted:
    """Of list<number>; a number that is absent is no member."""
    text, inexact = as_text(values.flatten())
    present = text.is_valid().to_numpy(zero_copy_only=False)
    row = pc.list_parent_indices(values).to_numpy(zero_copy_only=False)
    wrong = np.zeros(len(values), bool)
    wrong[row[inexact]] = True
    lengths = np.bincount(row[present], minlength=len(values))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    absent = np.append(~values.is_valid().to_numpy(zero_copy_only=False), False)
    sets = pa.ListArray.from_arrays(pa.array(offsets, mask=absent), text.drop_null())
    return Converted(sets, [(WRONG_KIND, wrong)])


def _single_sets(values: pa.Array) -> Converted:
    """Of numbers: sets of one member."""
    text, wrong = as_text(values)
    rows = [None if member is None else [member] for member in text.to_pylist()]
    return Converted(pa.array(rows, _SET), [(WRONG_KIND, wrong)])


def _members(value: Any) -> list[str] | None:
    """Texts of a JSON list, or of a single number or boolean; None where `value` is no set."""
    if isinstance(value, (bool, int, float)):
        value = [value]
    if not isinstance(value, list):
        return None
    texts, wrong = as_text(value)
    return None if wrong.any() else [text for text in texts.to_pylist() if text is not None]


def _is_visible_ascii(text: pa.Array) -> bool:
    """Whether no value can hold a blank, a control character or a letter beyond ASCII.

    Most logs' ids are so, and to look at the bytes takes a tenth of the time for all values.
    """
    letters = text.buffers()[2]
    seen = np.frombuffer(letters, np.uint8) if letters is not None else np.zeros(0, np.uint8)
    return bool(((seen > ord(" ")) & (seen < 0x7F)).all())


def _true(flags: pa.Array) -> np.ndarray:
    return pc.fill_null(flags, False).to_numpy(zero_copy_only=False)
