"""Where the objects of JSON text begin and end: in an array, one after another, on one line each or
on several.

Only braces outside of strings are counted; brackets and commas between objects separate them. A
line break ends a string, since JSON has none inside, so a missing quotation mark affects one line.
"""

import itertools
import re
from typing import NamedTuple

import numpy as np

MAX_OBJECT_BYTES = 16 << 20
"""Size of an object without a closing brace at which it is given up as broken."""
SEPARATORS = b"[], \t\r\n"
"""What may be between objects."""

_QUOTE, _ESCAPE, _NEWLINE, _OPEN, _CLOSE = b'"\\\n{}'
_IS_MARK = np.isin(np.arange(256), [_QUOTE, _NEWLINE, _OPEN, _CLOSE])
_NO_OBJECTS = np.zeros((0, 2), np.int64)


class _Scan(NamedTuple):
    bounds: np.ndarray
    open_from: int | None


def find_objects(data: bytes, is_whole: bool) -> np.ndarray:
    """Returns int64 [n, 2], begin and end of each object at the outermost level, in bytes.

    If a closing brace is missing, and nothing follows `data` (`is_whole`) or the object is longer
    than MAX_OBJECT_BYTES, the lines that begin with an opening brace, indented no deeper than that
    of the broken object, each begin an object.
    """
    bounds, open_from = _scan(data)
    if open_from is None or (not is_whole and len(data) - open_from < MAX_OBJECT_BYTES):
        return bounds
    return np.concatenate([bounds, _split_at_lines(data, open_from, is_whole)])


def find_last_object_end(data: bytes) -> int:
    """Returns where the last complete object of `data` ends, so that more can follow; 0 if there is
    none. Text without any object ends at MAX_OBJECT_BYTES.
    """
    bounds = find_objects(data, is_whole=False)
    if len(bounds):
        return int(bounds[-1, 1])
    return len(data) if len(data) >= MAX_OBJECT_BYTES else 0


def _scan(data: bytes) -> _Scan:
    text = np.frombuffer(data, np.uint8)
    marks = np.flatnonzero(_IS_MARK[text])
    kinds = text[marks]
    inside = _find_strings(text, marks, kinds)
    step = np.where(inside, 0, (kinds == _OPEN).astype(np.int64) - (kinds == _CLOSE))
    depth = np.cumsum(step)
    depth -= np.minimum(np.minimum.accumulate(depth), 0)  # superfluous closing braces
    before = np.append(0, depth[:-1])[: len(depth)]
    begins = marks[(step == 1) & (before == 0)]
    ends = marks[(step == -1) & (before == 1)] + 1
    closed = np.column_stack([begins[: len(ends)], ends])
    return _Scan(closed, int(begins[-1]) if len(begins) > len(ends) else None)


def _find_strings(text: np.ndarray, marks: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """bool [marks]: whether the mark is inside a string that begins on its line."""
    is_quote = kinds == _QUOTE
    is_quote[is_quote] = ~_find_escaped(text, marks[is_quote])
    count = np.cumsum(is_quote)
    count_before_line = np.maximum.accumulate(np.where(kinds == _NEWLINE, count, 0))
    return (count - count_before_line) % 2 == 1


def _find_escaped(text: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """bool [positions]: whether an odd number of backslashes precedes."""
    escaped = np.zeros(len(positions), bool)
    which, at = np.arange(len(positions)), positions - 1
    while len(which):
        is_escape = (at >= 0) & (text[at] == _ESCAPE)
        which, at = which[is_escape], at[is_escape] - 1
        escaped[which] ^= True
    return escaped


def _split_at_lines(data: bytes, start: int, is_whole: bool) -> np.ndarray:
    blanks = start - len(data[:start].rstrip(b"[, \t"))
    line = re.compile(rb"\n,?[ \t]{0,%d}(?=\{)" % blanks)
    cuts = [start, *(match.end() for match in line.finditer(data, start)), len(data)]
    found = [_NO_OBJECTS]
    for begin, end in itertools.pairwise(cuts):
        bounds, open_from = _scan(data[begin:end])
        found.append(bounds + begin)
        more_may_follow = end == len(data) and not is_whole and end - begin < MAX_OBJECT_BYTES
        if open_from is not None and not more_may_follow:
            broken = data[begin + open_from : end].rstrip(b", \t\r\n")
            found.append(np.array([[0, len(broken)]]) + begin + open_from)
    return np.concatenate(found)
