"""Suggests how to fix a header without the configured columns; each suggestion names the key."""

import re
from collections.abc import Collection, Sequence

from components.ingest.read.format_detection import choose_object_format, looks_like_json
from schema.sources import Source

HEAD_LINES = 50
"""Number of lines in which a header is searched."""
_DELIMITERS = (",", ";", "\t", "|", "::", " ")
_QUOTES = ('"', "'", "`", "|")
_COMMENT = re.compile(r"(#|%|//|--|;)+")


def suggest_header_fix(
    header: list[str], expected: Collection[str], source: Source, head: Sequence[str] = ()
) -> str:
    """Returns a clause for the end of a message.

    Args:
        header: Names in the line.
        expected: Names of the columns that the configuration reads.
        source: Configured table.
        head: Lines at the start of the file, the header's line included.
    """
    line = source.delimiter.join(header)
    if looks_like_json(line):
        return f'is it JSON or Python? Then set format = "{choose_object_format(line)}"'
    later = _suggest_later_line(expected, source, head)
    if later:
        return later
    if not line.strip():
        return "the first line is blank; set skip_lines to the number of lines before the header"
    for quote in _QUOTES:
        if set(expected) <= {name.strip(quote) for name in header} and quote != source.quote:
            return f"set quote = {quote!r}"
    for other in _DELIMITERS:
        if set(expected) <= set(line.split(other)):
            return f"set delimiter = {other!r}"
    return _suggest_name(header, expected, source.delimiter)


def _suggest_later_line(expected: Collection[str], source: Source, head: Sequence[str]) -> str:
    for n, line in enumerate(head):
        names = {name.strip().strip(source.quote or None) for name in line.split(source.delimiter)}
        if n > source.skip_lines and set(expected) <= names:
            mark = _COMMENT.match(head[0])
            if mark and all(line.startswith(mark[0]) for line in head[:n]):
                return f'set comment = "{mark[0]}"'
            return f"line {n + 1} has these columns: set skip_lines = {n}"
    return ""


def _suggest_name(header: list[str], expected: Collection[str], delimiter: str) -> str:
    by_folded_name = {name.strip().casefold(): name for name in header}
    for name in expected:
        close = by_folded_name.get(name.strip().casefold())
        if close is not None and name not in header:
            return f"did you mean {close!r}? Names must match exactly"
    hint = f"is delimiter = {delimiter!r} right?"
    if any(name.strip().isdecimal() for name in header):
        return f"if it is not a header, set columns = […]; otherwise {hint}"
    return hint
