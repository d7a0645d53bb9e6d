"""Delimited text -> columns. Arrow splits all lines without a quote in one call."""

from collections.abc import Collection, Sequence
from io import BufferedIOBase

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.read.compression import DAMAGE_ERRORS, open_decompressed
from components.ingest.read.lines import BYTE_ORDER_MARK
from components.ingest.read.quoting import (
    BrokenQuoting,
    Dialect,
    build_dialect,
    split_fields,
)
from components.ingest.read.record_ends import find_record_bounds
from components.ingest.read.records import (
    BROKEN_QUOTING,
    WRONG_FIELD_COUNT,
    Fault,
    Records,
    format_excerpt,
)
from schema.errors import DataRefused
from schema.sources import Source

_LONGEST_HEADER = 1 << 20


def read_header(path: str, source: Source) -> list[str]:
    """Column names of one file: `columns` of the source, or else the file's first line.

    Raises DataRefused if that line is not text or its quoting is broken.
    """
    if source.columns is not None:
        return source.columns
    dialect = build_dialect(source)
    assert dialect is not None, "expected delimited text"
    dialect = dialect._replace(strips=False)  # `strip_names` applies to names
    try:
        with open_decompressed(path) as handle:
            line = _read_first_record(handle, dialect).removeprefix(BYTE_ORDER_MARK).rstrip(b"\r\n")
        return split_fields(_decode_header(line, source.encoding), dialect)
    except (_UndecodableError, BrokenQuoting, *DAMAGE_ERRORS) as error:
        raise DataRefused(
            f"{path}: expected column names in the first line, received {error}; "
            "is it delimited text in this encoding?"
        ) from error


def _read_first_record(handle: BufferedIOBase, dialect: Dialect) -> bytes:
    record = handle.readline(_LONGEST_HEADER)
    while find_record_bounds(record, dialect, is_whole=False).open_from < len(record):
        line = handle.readline(_LONGEST_HEADER)
        if not line:
            break
        record += line
    return record


class _UndecodableError(ValueError):
    pass


def _decode_header(line: bytes, encoding: str) -> str:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError as error:
        raise _UndecodableError(
            f"bytes that are not {encoding} text, {format_excerpt(line)}"
        ) from error


def parse_delimited(
    texts: Sequence[str], names: Sequence[str], selected: Collection[str], dialect: Dialect
) -> Records:
    """Splits records into columns, each large_string. A record with a wrong number of fields or
    broken quoting is a fault.

    Args:
        texts: Records.
        names: Names of all columns, in order.
        selected: Names of the columns to return.
        dialect: Delimiter and quoting.
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
        fits = counts == len(names)
        for n, count in zip(index[~fits].tolist(), counts[~fits].tolist(), strict=True):
            expected = f"expected {len(names)} fields, received {count}"
            faults.setdefault(n, Fault(WRONG_FIELD_COUNT, expected))
        parts.append((index[fits], split.filter(pa.array(fits)).flatten()))
    index = np.concatenate([index for index, _ in parts])
    columns = {
        name: pa.concat_arrays([_take_column(flat, at, len(names)) for _, flat in parts])
        for at, name in enumerate(names)
        if name in selected
    }
    return Records(columns, index, faults)


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


def read_column_names(path: str, source: Source) -> list[str]:
    """Like `read_header`, without blanks around the names if the source strips them."""
    names = read_header(path, source)
    if source.strip_names and source.columns is None:
        return [name.strip() for name in names]
    return names
