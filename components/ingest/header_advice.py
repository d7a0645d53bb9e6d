"""What to change where the first line of delimited text does not name the columns that are read."""

from collections.abc import Collection

from components.ingest.read import format_detection

_DELIMITERS = (",", ";", "\t", "|", "::", " ")


def advice(found: list[str], expected: Collection[str], delimiter: str) -> str:
    """A clause for the end of a message; `found` are the names in the line, `expected` those that
    the configuration reads.
    """
    line = delimiter.join(found)
    if format_detection.is_json(line):
        return 'is it JSON? Then set format = "jsonl"'
    if not line.strip():
        return "the first line is blank; names of columns belong there"
    if "\r" in line:
        return "lines end in carriage returns alone: write line feeds, as tr '\\r' '\\n' does"
    for other in _DELIMITERS:
        if set(expected) <= set(line.split(other)):
            return f"set delimiter = {other!r}"
    alike = {name.strip().casefold(): name for name in found}
    for name in expected:
        close = alike.get(name.strip().casefold())
        if close is not None and name not in found:
            return f"is {close!r} meant? Names are compared letter by letter"
    if any(name.strip().isdecimal() for name in found):
        return f"is it no header? Then set columns = […]; otherwise is {_right(delimiter)}"
    return f"is {_right(delimiter)}"


def _right(delimiter: str) -> str:
    return f"delimiter = {delimiter!r} right?"
