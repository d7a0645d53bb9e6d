"""Layout of a delimited file: names of its columns, header, delimiters at ends of lines."""

import itertools
from collections.abc import Iterator
from io import BufferedIOBase
from typing import NamedTuple

from components.ingest.read.compression import DAMAGE_ERRORS
from components.ingest.read.lines import BYTE_ORDER_MARK
from components.ingest.read.quoting import BrokenQuoting, Dialect, build_dialect, split_fields
from components.ingest.read.record_ends import find_record_bounds
from components.ingest.read.records import format_excerpt
from components.ingest.read.text_stream import open_text
from schema.errors import DataRefused
from schema.sources import Source

_LONGEST_LINE = 1 << 20
_SAMPLE = 100


class Layout(NamedTuple):
    """How the lines of one file are to be read."""

    names: list[str | None]
    """Names of the columns, in order; None for the empty field after a last delimiter."""
    header_line: int
    """Number of the header's first line, from 1; 0 without a header."""


class _Record(NamedTuple):
    line: int
    text: bytes


def read_layout(path: str, source: Source) -> Layout:
    """Reads the header and up to 100 records of a delimited file.

    If all these records end with a delimiter that the header does not have, it belongs to the
    layout. If only the header ends with one, its last, empty name is not a column.

    Raises DataRefused if the header is not text or its quoting is broken.
    """
    dialect = build_dialect(source)
    assert dialect is not None, "expected delimited text"
    if source.columns is not None:
        names, header_line, first = source.columns, 0, 0
    else:
        header = _read_header(path, source, dialect)
        names, header_line, first = _split_names(path, header, source, dialect), header.line, 1
        names = [name.strip() for name in names] if source.strip_names else names
    rows = _sample_rows(path, source, dialect, first)
    return Layout(_fit_names(names, rows), header_line)


def read_header(path: str, source: Source) -> list[str]:
    """Reads the fields of the header as they are. It is the first line that is neither skipped, a
    comment nor empty.

    Raises DataRefused if it is not text or its quoting is broken.
    """
    dialect = build_dialect(source)
    assert dialect is not None, "expected delimited text"
    return _split_names(path, _read_header(path, source, dialect), source, dialect)


def read_start(path: str, source: Source, n: int) -> list[str]:
    """Reads up to `n` lines from the start of the file, skipped ones too, for messages."""
    try:
        with open_text(path, source.encoding) as handle:
            lines = [handle.readline(_LONGEST_LINE) for _ in range(n)]
    except DAMAGE_ERRORS:
        return []
    return [line.decode(source.byte_encoding, "replace").rstrip("\r\n") for line in lines if line]


def _fit_names(names: list[str], rows: list[list[str]]) -> list[str | None]:
    counts = {len(row) for row in rows}
    if counts == {len(names) + 1} and not any(row[-1] for row in rows):
        return [*names, None]
    if counts == {len(names) - 1} and names[-1] == "":
        return [*names[:-1]]
    return [*names]


def _sample_rows(path: str, source: Source, dialect: Dialect, first: int) -> list[list[str]]:
    """Fields of the first records, without the `first` first ones; broken ones are omitted."""
    rows = []
    try:
        for record in itertools.islice(_read_records(path, source, dialect), first, _SAMPLE):
            rows.append(split_fields(record.text.decode(source.byte_encoding), dialect))
    except (UnicodeDecodeError, BrokenQuoting, *DAMAGE_ERRORS):
        return rows
    return rows


def _read_header(path: str, source: Source, dialect: Dialect) -> _Record:
    try:
        return next(_read_records(path, source, dialect), _Record(1, b""))
    except DAMAGE_ERRORS as error:
        raise _refuse_header(path, str(error)) from error


def _split_names(path: str, header: _Record, source: Source, dialect: Dialect) -> list[str]:
    encoding = source.byte_encoding
    try:
        # `strip_names` applies to names, `strip_fields` does not.
        return split_fields(header.text.decode(encoding), dialect._replace(strips=False))
    except UnicodeDecodeError as error:
        received = f"bytes that are not {encoding} text, {format_excerpt(header.text)}"
        raise _refuse_header(path, received) from error
    except BrokenQuoting as error:
        raise _refuse_header(path, str(error)) from error


def _refuse_header(path: str, received: str) -> DataRefused:
    return DataRefused(
        f"{path}: expected column names in the first line, received {received}; "
        "is it delimited text in this encoding? See the keys encoding, quote and skip_lines"
    )


def _read_records(path: str, source: Source, dialect: Dialect) -> Iterator[_Record]:
    """Yields the header and records without their ends of line; no comments or empty lines."""
    comment = dialect.comment.encode(dialect.encoding)
    line = 1
    with open_text(path, source.encoding) as handle:
        while record := _read_record(handle, dialect, is_skipped=line <= dialect.skip_lines):
            text = record.removeprefix(BYTE_ORDER_MARK) if line == 1 else record
            text = text.removesuffix(b"\n").removesuffix(b"\r")
            is_comment = bool(comment) and text.startswith(comment)
            if text and line > dialect.skip_lines and not is_comment:
                yield _Record(line, text)
            line += record.count(b"\n")


def _read_record(handle: BufferedIOBase, dialect: Dialect, is_skipped: bool) -> bytes:
    record = handle.readline(_LONGEST_LINE)
    while (
        not is_skipped
        and find_record_bounds(record, dialect, is_whole=False).open_from < len(record)
        and (line := handle.readline(_LONGEST_LINE))
    ):
        record += line
    return record
