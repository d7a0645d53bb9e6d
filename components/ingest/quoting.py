"""Quoted fields of delimited text (RFC 4180), for delimiters of any length.

The standard library's csv module knows delimiters of one character only.
"""


class BrokenQuoting(ValueError):
    """A quote is opened and not closed right before a delimiter or the end of the line."""


def split(line: str, delimiter: str) -> list[str]:
    """Fields of one line; `""` inside a quoted field is one quote.

    A quote that does not open a field is an ordinary character. Raises BrokenQuoting.
    """
    fields, position = [], 0
    while True:
        if line.startswith('"', position):
            field, position = _quoted(line, position + 1, delimiter)
        else:
            end = line.find(delimiter, position)
            end = len(line) if end < 0 else end
            field, position = line[position:end], end
        fields.append(field)
        if position == len(line):
            return fields
        position += len(delimiter)


def _quoted(line: str, start: int, delimiter: str) -> tuple[str, int]:
    """The field whose first character is at `start`, and where its closing quote ends."""
    parts = []
    while True:
        quote = line.find('"', start)
        if quote < 0:
            raise BrokenQuoting("expected a closing quote, received the end of the line")
        parts.append(line[start:quote])
        after = quote + 1
        if line.startswith('"', after):
            parts.append('"')
            start = after + 1
        elif after == len(line) or line.startswith(delimiter, after):
            return "".join(parts), after
        else:
            raise BrokenQuoting("expected a delimiter after the closing quote")
