"""Delimited text -> columns. Arrow splits all lines without a quote in one call."""

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.read.quoting import BrokenQuoting, Dialect, split_fields
from components.ingest.read.records import (
    BROKEN_QUOTING,
    WRONG_FIELD_COUNT,
    Fault,
    Records,
)


def parse_delimited(
    texts: Sequence[str], names: Sequence[str | None], selected: Collection[str], dialect: Dialect
) -> Records:
    """Splits records into columns, each large_string. A record with a wrong number of fields or
    broken quoting is a fault.

    Args:
        texts: Records.
        names: Names of all columns, in order, as `layout.Layout` has them.
        selected: Names of the columns to return.
        dialect: Delimiter and quote.
    """
    lines = pa.array(texts, pa.large_string())
    quoted = _find_marked_lines(lines, dialect)
    plain = np.setdiff1d(np.arange(len(texts)), quoted, assume_unique=True)
    parts: list[tuple[np.ndarray, pa.Array]] = []
    faults: dict[int, Fault] = {}
    for index, split in (
        (plain, _split_plain(lines.take(pa.array(plain)), dialect)),
        (quoted, _split_quoted(texts, quoted, dialect, faults)),
    ):
        counts = pc.list_value_length(split).to_numpy(zero_copy_only=False)
        fits = _find_fitting_rows(split, counts, names)
        for n, count in zip(index[~fits].tolist(), counts[~fits].tolist(), strict=True):
            faults.setdefault(n, Fault(WRONG_FIELD_COUNT, _describe_count(names, count)))
        parts.append((index[fits], split.filter(pa.array(fits)).flatten()))
    index = np.concatenate([index for index, _ in parts])
    columns = {
        name: pa.concat_arrays([_take_column(flat, at, len(names)) for _, flat in parts])
        for at, name in enumerate(names)
        if name is not None and name in selected
    }
    return Records(columns, index, faults)


def _find_fitting_rows(
    split: pa.Array, counts: np.ndarray, names: Sequence[str | None]
) -> np.ndarray:
    fits = counts == len(names)
    if names and names[-1] is None:
        flat = split.filter(pa.array(fits)).flatten()
        last = _take_column(flat, len(names) - 1, len(names))
        fits[fits] = pc.equal(last, "").to_numpy(zero_copy_only=False)
    return fits


def _describe_count(names: Sequence[str | None], count: int) -> str:
    if names and names[-1] is None:
        expected = f"{len(names) - 1} fields, each with a delimiter after it"
        return f"expected {expected}, received {count} fields"
    return f"expected {len(names)} fields, received {count}"


def _find_marked_lines(lines: pa.Array, dialect: Dialect) -> np.ndarray:
    """Returns the indices of the lines with a quote or an escape that has a special meaning."""
    marked = np.zeros(len(lines), bool)
    for mark in dialect.marks:
        marked |= pc.match_substring(lines, pattern=mark).to_numpy(zero_copy_only=False)
    return np.flatnonzero(marked)


def _split_plain(lines: pa.Array, dialect: Dialect) -> pa.Array:
    split = pc.split_pattern(lines, pattern=dialect.delimiter)
    if not dialect.strips:
        return split
    return pa.ListArray.from_arrays(split.offsets, pc.utf8_trim_whitespace(split.flatten()))


def _split_quoted(
    texts: Sequence[str], index: np.ndarray, dialect: Dialect, faults: dict[int, Fault]
) -> pa.Array:
    rows: list[list[str]] = []
    for n in map(int, index):
        try:
            rows.append(split_fields(texts[n], dialect))
        except BrokenQuoting as error:
            faults[n] = Fault(BROKEN_QUOTING, str(error))
            rows.append([])
    return pa.array(rows, pa.list_(pa.large_string()))


def _take_column(flat: pa.Array, at: int, width: int) -> pa.Array:
    return flat.take(pa.array(np.arange(at, len(flat), width)))
