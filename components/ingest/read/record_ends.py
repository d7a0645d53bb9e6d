"""Where records of delimited text end: at an end of line that is neither quoted nor escaped.

Only few lines are examined one by one. For most lines, the number of quotes and the characters next
to them show that no field is open at the end, and numpy checks this for all lines at once.
"""

from typing import NamedTuple

import numpy as np

from components.ingest.read.quoting import Dialect

MAX_QUOTED_BYTES = 1 << 20
"""Maximum length of a quoted field. A longer one has broken quoting, probably a stray quote."""

_NEWLINE, _RETURN = b"\n", b"\r"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class RecordBounds(NamedTuple):
    """Bounds of the records in a text that begins with a record."""

    several_lines: list[tuple[int, int]]
    """Begin and end of each record of more than one line, in bytes, including its line end."""
    open_from: int
    """Begin of the record that does not end in the text; the text's length if there is none."""


class _BrokenQuoteError(Exception):
    pass


class _OpenFieldError(Exception):
    pass


def find_record_bounds(data: bytes, dialect: Dialect | None, is_whole: bool) -> RecordBounds:
    """Finds the records of several lines.

    A line with broken quoting is a record of its own: one in which a closing quote is not followed
    by a delimiter or, at the end of the file (`is_whole`), one with an unclosed field.
    """
    if dialect is None or dialect.is_plain(data):
        return RecordBounds([], len(data))
    if is_whole and not data.endswith(_NEWLINE):
        several, _ = find_record_bounds(data + _NEWLINE, dialect, is_whole=True)
        return RecordBounds([(start, min(end, len(data))) for start, end in several], len(data))
    bounds: list[tuple[int, int]] = []
    end = 0
    for start in _find_suspects(data, dialect):
        if start < end:  # inside the previous record
            continue
        try:
            end = _find_record_end(data, start, dialect)
        except _BrokenQuoteError:
            end = _find_line_end(data, start)
        except _OpenFieldError:
            if not is_whole:
                return RecordBounds(bounds, start)
            end = _find_line_end(data, start)
        if end > _find_line_end(data, start):
            bounds.append((start, end))
    return RecordBounds(bounds, len(data))


def _find_suspects(data: bytes, dialect: Dialect) -> list[int]:
    """Returns the begins of the lines that might end inside a field."""
    text = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(text == ord(_NEWLINE))
    begins = np.concatenate([[0], newlines + 1])
    suspects = np.zeros(len(begins), bool)
    if dialect.quote:
        suspects |= _find_open_quotes(data, text, begins, dialect)
    if dialect.escape:
        before = newlines[newlines > 0]
        escaped = before[text[before - 1] == ord(dialect.escape)]
        suspects[np.searchsorted(newlines, escaped)] = True
    return begins[suspects].tolist()


def _find_open_quotes(
    data: bytes, text: np.ndarray, begins: np.ndarray, dialect: Dialect
) -> np.ndarray:
    """bool [lines]: false if every quote that would open a field is at the begin of one or
    directly after another quote, and the last quote closes a field.
    """
    quotes = np.flatnonzero(text == ord(dialect.quote))
    line = np.searchsorted(begins, quotes, side="right") - 1
    opens = _find_field_starts(data, text, quotes, begins[line], dialect)
    nth = np.arange(len(quotes)) - np.searchsorted(line, line)
    doubles = np.diff(quotes, prepend=-2) == 1
    strange = (nth % 2 == 0) & ~opens & ~doubles
    number = np.bincount(line, minlength=len(begins))
    odd = number % 2 == 1
    if dialect.escape and dialect.escape.encode() in data:
        odd = number > 0
    some = np.bincount(line[opens], minlength=len(begins)) > 0
    return some & (odd | (np.bincount(line[strange], minlength=len(begins)) > 0))


def _find_field_starts(
    data: bytes, text: np.ndarray, quotes: np.ndarray, begins: np.ndarray, dialect: Dialect
) -> np.ndarray:
    delimiter = dialect.delimiter.encode(dialect.encoding)
    follows = quotes - begins >= len(delimiter)
    for n, byte in enumerate(reversed(delimiter), 1):
        follows &= text[np.maximum(quotes - n, 0)] == byte
    first = quotes == begins
    if data.startswith(_BYTE_ORDER_MARK):
        first |= quotes == len(_BYTE_ORDER_MARK)
    return first | follows


def _find_record_end(data: bytes, start: int, dialect: Dialect) -> int:
    """Returns the end of the record that begins at `start`.

    Raises _BrokenQuoteError or _OpenFieldError.
    """
    delimiter = dialect.delimiter.encode(dialect.encoding)
    quote, escape = dialect.quote.encode(), dialect.escape.encode()
    position = start
    if start == 0 and data.startswith(_BYTE_ORDER_MARK):
        position = len(_BYTE_ORDER_MARK)
    if dialect.comment and data.startswith(dialect.comment.encode(dialect.encoding), position):
        return _find_line_end(data, position)
    while True:
        if quote and data.startswith(quote, position):
            position = _find_quoted_end(data, position + 1, delimiter, quote, escape)
        else:
            position = _find_unquoted_end(data, position, delimiter, escape)
        if data.startswith(delimiter, position):
            position += len(delimiter)
        else:
            return _find_line_end(data, position)


def _find_unquoted_end(data: bytes, start: int, delimiter: bytes, escape: bytes) -> int:
    while True:
        newline = data.find(_NEWLINE, start)
        if newline < 0:
            raise _OpenFieldError
        end = data.find(delimiter, start, newline)
        end = newline if end < 0 else end
        escaped = data.find(escape, start, end) if escape else -1
        if escaped < 0:
            return end
        start = escaped + 2


def _find_quoted_end(data: bytes, start: int, delimiter: bytes, quote: bytes, escape: bytes) -> int:
    limit = start + MAX_QUOTED_BYTES
    while True:
        end = data.find(quote, start, limit)
        if end < 0 and len(data) >= limit:
            raise _BrokenQuoteError
        escaped = data.find(escape, start, None if end < 0 else end) if escape else -1
        if escaped >= 0:
            start = escaped + 2
            continue
        after = end + 1
        if end < 0 or after == len(data):
            raise _OpenFieldError
        if data.startswith(quote, after):
            start = after + 1
        elif data.startswith((delimiter, _NEWLINE, _RETURN + _NEWLINE), after):
            return after
        elif data[after:] == _RETURN:
            raise _OpenFieldError
        else:
            raise _BrokenQuoteError


def _find_line_end(data: bytes, start: int) -> int:
    newline = data.find(_NEWLINE, start)
    return len(data) if newline < 0 else newline + 1
