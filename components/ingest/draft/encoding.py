"""The text encoding of a file, and its first lines."""

from components.ingest.read.compression import DAMAGE_ERRORS, open_decompressed
from components.ingest.read.format_detection import HEAD_BYTES, detect_utf_16
from components.ingest.read.text_stream import open_text

_ENCODING_BYTES = 1 << 23
_FIRST_LINES = 400
_LONGEST_LINE = 1 << 20


def detect_encoding(path: str) -> str:
    """Returns `utf-8` if the start of the file is valid in it, otherwise UTF-16 or cp1252."""
    data = _read_start(path, _ENCODING_BYTES)
    utf_16 = detect_utf_16(data[:HEAD_BYTES])
    if utf_16 is not None:
        return utf_16
    if _decodes(data, "utf-8"):
        return "utf-8"
    return "cp1252" if _decodes(data, "cp1252") else "latin-1"


def read_lines(path: str, encoding: str, n: int = _FIRST_LINES) -> list[str]:
    """Reads up to `n` lines that are not blank; invalid bytes become replacement characters."""
    byte_encoding = "utf-8" if encoding.startswith("utf-16") else encoding
    lines: list[str] = []
    try:
        with open_text(path, encoding) as handle:
            while len(lines) < n and (line := handle.readline(_LONGEST_LINE)):
                text = line.decode(byte_encoding, "replace").rstrip("\r\n").removeprefix("\ufeff")
                if text.strip():
                    lines.append(text)
    except DAMAGE_ERRORS:
        return lines
    return lines


def _read_start(path: str, n: int) -> bytes:
    parts, length = [], 0
    try:
        with open_decompressed(path) as handle:
            while length < n and (part := handle.read(n - length)):
                parts.append(part)
                length += len(part)
    except DAMAGE_ERRORS:
        pass
    return b"".join(parts)


def _decodes(data: bytes, encoding: str) -> bool:
    """Whether it is text in the encoding; a character that is cut off at the end does not count."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        return len(data) == _ENCODING_BYTES and error.start > len(data) - 4
    return True
