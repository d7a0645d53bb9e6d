"""Fields of delimited text, quoted (RFC 4180) or not, for delimiters of any length.

The standard library's csv module supports only delimiters of one character.
"""

from typing import NamedTuple

from schema.sources import Source
from schema.sources.text_options import NULL_TEXT


class BrokenQuoting(ValueError):
    """A quoted field has no closing quote directly before a delimiter or the end of the record."""


class Dialect(NamedTuple):
    """Delimiter, quote and encoding of delimited text."""

    delimiter: str
    quote: str = '"'
    """ASCII character around a quoted field; "" if no field is quoted."""
    escape: str = ""
    """The character after it is an ordinary one; "" for no escape."""
    encoding: str = "utf-8"
    strips: bool = False
    """Whether blanks around an unquoted field are removed."""
    comment: str = ""
    """Start of the lines that are not records; "" for none."""
    skip_lines: int = 0
    """Number of lines at the start of each file that are not read."""

    def is_plain(self, text: str | bytes) -> bool:
        """Returns whether `text` has no quote or escape character with a special meaning."""
        if isinstance(text, bytes):
            return not any(mark.encode(self.encoding) in text for mark in self.marks)
        return not any(mark in text for mark in self.marks)

    @property
    def marks(self) -> list[str]:
        """The characters that can make a delimiter or an end of line an ordinary one."""
        return [mark for mark in (self.quote, self.escape) if mark]


def build_dialect(source: Source) -> Dialect | None:
    """Returns the dialect of the source; None for a format other than delimited text."""
    if source.format != "csv":
        return None
    return Dialect(
        source.delimiter,
        source.quote,
        source.escape or "",
        source.byte_encoding,
        source.strip_fields,
        source.comment or "",
        source.skip_lines,
    )


def split_fields(record: str, dialect: Dialect) -> list[str]:
    """Splits one record into fields; `""` inside a quoted field is one quote.

    A quote that does not open a field is an ordinary character. Raises BrokenQuoting.
    """
    fields, position = [], 0
    while True:
        if dialect.quote and record.startswith(dialect.quote, position):
            field, position = _parse_quoted(record, position + 1, dialect)
        else:
            field, position = _parse_unquoted(record, position, dialect)
            field = field.strip() if dialect.strips else field
        fields.append(field)
        if position == len(record):
            return fields
        position += len(dialect.delimiter)


def _parse_unquoted(record: str, start: int, dialect: Dialect) -> tuple[str, int]:
    """Returns the field that begins at `start`, and the position of its end. The null of database
    exports is not an escaped N.
    """
    if dialect.escape == "\\" and record.startswith(NULL_TEXT, start):
        end = start + len(NULL_TEXT)
        if end == len(record) or record.startswith(dialect.delimiter, end):
            return NULL_TEXT, end
    parts = []
    while True:
        end = record.find(dialect.delimiter, start)
        end = len(record) if end < 0 else end
        escape = record.find(dialect.escape, start, end) if dialect.escape else -1
        if escape < 0:
            return "".join([*parts, record[start:end]]), end
        parts.append(record[start:escape] + record[escape + 1 : escape + 2])
        start = escape + 2


def _parse_quoted(record: str, start: int, dialect: Dialect) -> tuple[str, int]:
    """Returns the field whose first character is at `start`, and the position after its closing
    quote.
    """
    parts = []
    while True:
        quote = record.find(dialect.quote, start)
        escape = record.find(dialect.escape, start, quote) if dialect.escape else -1
        if quote < 0:
            raise BrokenQuoting("expected a closing quote, received the end of the line")
        if escape >= 0:
            parts.append(record[start:escape] + record[escape + 1 : escape + 2])
            start = escape + 2
            continue
        parts.append(record[start:quote])
        after = quote + 1
        if record.startswith(dialect.quote, after):
            parts.append(dialect.quote)
            start = after + 1
        elif after == len(record) or record.startswith(dialect.delimiter, after):
            return "".join(parts), after
        else:
            raise BrokenQuoting("expected a delimiter after the closing quote")
