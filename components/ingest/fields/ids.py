"""Ids of users and items, of one column or of the first of several that has one."""

import functools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.coercion import coerce_ids
from components.ingest.fields.converted import ConvertedColumn
from components.ingest.read.records import (
    BAD_ID,
    INEXACT_ID,
    OVERLONG_ID,
    WRONG_KIND,
    Values,
)
from schema.user_ids import UserIdKey, hash_user_id, load_key

MAX_ID_BYTES = 1024


def convert_ids(*columns: Values, missing: str) -> ConvertedColumn:
    """large_string ids [n]: of each record that of the first column that has one.

    `missing` is the reason for an id that is absent, empty or blank in all `columns`.
    """
    convert = functools.partial(_convert_column, missing=missing)
    return functools.reduce(
        functools.partial(_fill_missing, missing=missing), map(convert, columns)
    )


def _fill_missing(ids: ConvertedColumn, later: ConvertedColumn, missing: str) -> ConvertedColumn:
    """`ids`, with the ids and faults of `later` where they are missing."""
    others = [mask for reason, mask in ids.faults if reason != missing]
    absent = dict(ids.faults)[missing] & ~np.any(others, axis=0)
    array = pc.if_else(pa.array(absent), later.array, ids.array)
    masks, later_masks = dict(ids.faults), dict(later.faults)
    nowhere = np.zeros(len(absent), bool)
    reasons = masks if len(masks) >= len(later_masks) else later_masks
    faults = [
        (reason, np.where(absent, later_masks.get(reason, nowhere), masks.get(reason, nowhere)))
        for reason in reasons
    ]
    return ConvertedColumn(array, faults)


def _convert_column(values: Values, missing: str) -> ConvertedColumn:
    text, wrong, inexact = coerce_ids(values)
    numeric = [(WRONG_KIND, wrong), (INEXACT_ID, inexact)]
    overlong = _to_flags(pc.greater(pc.binary_length(text), MAX_ID_BYTES))
    if _is_visible_ascii(text):
        absent = ~text.is_valid().to_numpy(False)
        return ConvertedColumn(text, [*numeric, (missing, absent), (OVERLONG_ID, overlong)])
    blank = _to_flags(pc.equal(pc.fill_null(pc.utf8_trim_whitespace(text), ""), ""))
    broken = _to_flags(pc.match_substring_regex(text, pattern=r"[\r\n\x00]"))
    faults = [*numeric, (missing, blank), (OVERLONG_ID, overlong), (BAD_ID, broken)]
    return ConvertedColumn(text, faults)


def convert_hashed_ids(*columns: Values, missing: str, source: UserIdKey) -> ConvertedColumn:
    """Like `convert_ids`, but replaces each id by its pseudonym. Each worker reads the key itself,
    so that the key is never sent to workers.
    """
    ids = convert_ids(*columns, missing=missing)
    key = load_key(source)
    encoded = ids.array.dictionary_encode()
    hashed = [hash_user_id(identifier, key) for identifier in encoded.dictionary.to_pylist()]
    return ConvertedColumn(pa.array(hashed, pa.large_string()).take(encoded.indices), ids.faults)


def _is_visible_ascii(text: pa.Array) -> bool:
    """Returns whether no value contains a blank, a control character or a letter beyond ASCII.

    This holds for the ids of most logs, and checking bytes needs a tenth of the time of checking
    values.
    """
    letters = text.buffers()[2]
    codes = np.frombuffer(letters, np.uint8) if letters is not None else np.zeros(0, np.uint8)
    return bool(((codes > ord(" ")) & (codes < 0x7F)).all())


def _to_flags(flags: pa.Array) -> np.ndarray:
    return pc.fill_null(flags, False).to_numpy(zero_copy_only=False)
