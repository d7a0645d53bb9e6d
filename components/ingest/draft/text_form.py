"""Detects how a file of delimited text is written: delimiter, quote, lines to skip."""

import collections
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from components.ingest.draft.encoding import detect_encoding, read_lines
from components.ingest.read.quoting import BrokenQuoting, Dialect, split_fields

_LINES_PER_RECORD = 50
_DELIMITERS = ("\t", "::", ";", "|", ",", " ")
_UNQUOTED = ("\t", "::", "|")  # delimiters that are mostly used without any quoting
_QUOTINGS = (('"', ""), ('"', "\\"), ("", ""), ("'", ""))
_COMMENT = re.compile(r"(#|%|//|--)+")
_LEAST_CONSISTENT = 0.9


class TextForm(NamedTuple):
    """How the lines of a file are divided into records and fields."""

    encoding: str
    dialect: Dialect
    options: dict[str, Any]
    """The keys of a table that differ from their defaults."""
    fields: int
    """Fields of most records."""
    doubts: list[str]


class _Fit(NamedTuple):
    consistent: float
    """Share of records with the most frequent number of fields."""
    fields: int
    dialect: Dialect


def detect_text_form(path: str) -> TextForm | None:
    """Returns the form of a file of delimited text; None if no delimiter divides its lines evenly.

    A delimiter and a way of quoting fit if at least nine of ten records have the same number of
    fields, which is two or more; of several that fit, the one with the most fields is chosen.
    """
    encoding = detect_encoding(path)
    lines = read_lines(path, encoding)
    fits = [fit for each in _list_dialects(lines) if (fit := _measure(lines, each)) is not None]
    if not fits:
        return None
    best = max(fits, key=_rank)
    dialect = best.dialect
    if dialect.quote and dialect.delimiter in _UNQUOTED and not _has_quoted(lines, dialect):
        dialect = dialect._replace(quote="")
    dialect = dialect._replace(**_find_preamble(lines, dialect, best.fields))
    return TextForm(
        encoding,
        dialect,
        _list_options(encoding, dialect),
        best.fields,
        _list_doubts(encoding, best),
    )


def _rank(fit: _Fit) -> tuple[bool, float, int, bool]:
    """Blanks are also within fields, as in times; another delimiter goes before them. An escape is
    only tried where it stands before a quote.
    """
    is_blank, has_escape = fit.dialect.delimiter == " ", bool(fit.dialect.escape)
    return not is_blank, round(fit.consistent, 2), fit.fields, has_escape


def split_records(lines: Sequence[str], dialect: Dialect) -> Iterator[list[str]]:
    """Yields the fields of each record; lines with an open quote continue in the next ones. Skipped
    lines and comments are omitted, and so are records with broken quoting.
    """
    at = dialect.skip_lines
    while at < len(lines):
        if dialect.comment and lines[at].startswith(dialect.comment):
            at += 1
            continue
        record, taken = _split_record(lines[at : at + _LINES_PER_RECORD], dialect)
        at += taken
        if record is not None:
            yield record


def _split_record(lines: Sequence[str], dialect: Dialect) -> tuple[list[str] | None, int]:
    """The fields of the record that begins the lines, None if it is broken; and its lines."""
    for taken in range(1, len(lines) + 1):
        try:
            return split_fields("\n".join(lines[:taken]), dialect), taken
        except BrokenQuoting as error:
            if "end of the line" not in str(error):
                return None, 1
    return None, 1


def _list_dialects(lines: Sequence[str]) -> Iterator[Dialect]:
    text = "\n".join(lines)
    for delimiter, (quote, escape) in itertools.product(_DELIMITERS, _QUOTINGS):
        is_default = (quote, escape) == _QUOTINGS[0]
        has_escape = not escape or escape + quote in text
        has_quote = quote != "'" or text.count(f"'{delimiter}'") >= len(lines)
        is_used = delimiter in text and (is_default or (quote or '"') in text)
        if is_used and has_escape and has_quote:
            yield Dialect(delimiter, quote, escape)


def _measure(lines: Sequence[str], dialect: Dialect) -> _Fit | None:
    counts = collections.Counter(map(len, split_records(lines, dialect)))
    joined = sum(counts.values())
    if not joined:
        return None
    (fields, n), *_ = counts.most_common(1)
    broken = max(0, _count_broken(lines, dialect))
    consistent = n / (joined + broken)
    return (
        _Fit(consistent, fields, dialect)
        if fields > 1 and consistent >= _LEAST_CONSISTENT
        else None
    )


def _count_broken(lines: Sequence[str], dialect: Dialect) -> int:
    at, broken = 0, 0
    while at < len(lines):
        record, taken = _split_record(lines[at : at + _LINES_PER_RECORD], dialect)
        at += taken
        broken += record is None
    return broken


def _has_quoted(lines: Sequence[str], dialect: Dialect) -> bool:
    """Whether a field of the lines is enclosed in quotation marks."""
    plain = dialect._replace(quote="")
    every = itertools.chain.from_iterable(split_records(lines, plain))
    return any(len(f) > 1 and f[0] == f[-1] == dialect.quote for f in every)


def _find_preamble(lines: Sequence[str], dialect: Dialect, fields: int) -> dict[str, Any]:
    """`comment` or `skip_lines` for the lines before the first record of the usual length."""
    first = next(
        n
        for n in range(len(lines))
        if len(_split_record(lines[n : n + _LINES_PER_RECORD], dialect)[0] or []) == fields
    )
    mark = _COMMENT.match(lines[0]) if first else None
    if mark and all(line.startswith(mark[0]) for line in lines[:first]):
        return {"comment": mark[0]}
    return {"skip_lines": first}


def _list_options(encoding: str, dialect: Dialect) -> dict[str, Any]:
    values = {
        "delimiter": (dialect.delimiter, ","),
        "quote": (dialect.quote, '"'),
        "escape": (dialect.escape, ""),
        "comment": (dialect.comment, ""),
        "skip_lines": (dialect.skip_lines, 0),
        "encoding": (encoding, "utf-8"),
    }
    return {key: value for key, (value, default) in values.items() if value != default}


def _list_doubts(encoding: str, fit: _Fit) -> list[str]:
    doubts = []
    if encoding in ("cp1252", "latin-1"):
        doubts.append(f"encoding: it is not UTF-8; {encoding} fits, and so do similar ones")
    if fit.consistent < 1:
        share = round(100 * (1 - fit.consistent))
        doubts.append(f"delimiter: {share} % of the first records have another number of fields")
    return doubts
