"""Files of ids written by hand, one id per line."""

import codecs
import pathlib
import re

from schema.errors import UsageError

_LINE_END = re.compile(r"\r\n|\n|\r")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read(path: pathlib.Path, what: str, remedy: str) -> list[str]:
    """Returns the ids in the UTF-8 file at `path`, as `parse` does.

    Args:
        path: Path of the file.
        what: What the file holds, for the error messages: "item ids".
        remedy: What to do if the file cannot be read, for the error messages.

    Raises:
        UsageError: The file cannot be read, or is not UTF-8 text; the message names the line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"expected a file of {what}, one per line, at {path}, received: {error.strerror}; "
            f"{remedy}"
        ) from error
    try:
        return parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        received = f"the byte {content[error.start]:#04x} in line {line}"
        if content.startswith(_UTF16):
            received = "UTF-16"
        raise UsageError(
            f"{path}: expected {what} in UTF-8, received {received}; convert the file, for "
            "example with iconv"
        ) from error


def parse(text: str) -> list[str]:
    """Returns the ids in `text`, in order and without surrounding whitespace; blank lines are
    skipped.

    A line ends with a line feed, a carriage return, or both. The other line separators of Unicode
    can be part of an id.
    """
    lines = (line.strip() for line in _LINE_END.split(text.removeprefix("\ufeff")))
    return [line for line in lines if line]
