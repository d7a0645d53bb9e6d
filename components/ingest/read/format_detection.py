"""Detects files in another format than the configured one, and headers without its columns.

The first bytes of a file determine its format. Each message names the key to change.
"""

import ast
import json
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from components.ingest.read.compression import DAMAGE_ERRORS, open_decompressed, open_raw
from schema.errors import ConfigError, DataRefused
from schema.sources import Source

HEAD_BYTES = 1 << 12
_TAR_MARK = slice(257, 262)
_PARQUET = b"PAR1"
_BINARY = rb".{0,64}[\x00-\x08\x0e-\x1f]"  # bytes that text does not contain
_DELIMITERS = (",", ";", "\t", "|", "::", " ")


class _FileFormat(NamedTuple):
    magic: re.Pattern[bytes]
    name: str
    advice: str


def _define_format(magic: bytes, name: str, advice: str) -> _FileFormat:
    return _FileFormat(re.compile(magic, re.DOTALL), name, advice)


_SAVE = "save it as CSV or Parquet"

_EXTRACT = "extract it, or compress it with gzip"

_CONVERT = "convert it to Parquet"

_FORMATS = (
    _define_format(_PARQUET + _BINARY, "Parquet", 'set format = "parquet"'),
    _define_format(rb"PK\x03\x04.*(xl/|\[Content_Types\])", "an Excel workbook", _SAVE),
    _define_format(rb"PK[\x03\x05\x07]", "a zip archive", _EXTRACT),
    _define_format(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook", _SAVE),
    _define_format(rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|\x1f\x9d", "an archive", _EXTRACT),
    _define_format(
        rb"\x04\x22\x4d\x18|\xff\x06\x00\x00s[Nn][Aa]P[Pp]Y",
        "compressed text",
        "compress it with gzip instead",
    ),
    _define_format(rb"ORC" + _BINARY, "ORC", _CONVERT),
    _define_format(rb"Obj\x01", "Avro", _CONVERT),
    _define_format(rb"(ARROW1|FEA1)\x00", "Arrow's own format", _CONVERT),
    _define_format(rb"SQLite format 3\x00", "an SQLite database", _SAVE),
    _define_format(rb"\x89HDF\r\n\x1a\n", "HDF5", _SAVE),
    _define_format(rb"\x80[\x02-\x05]", "a Python pickle", _SAVE),
    _define_format(rb"%PDF-", "a PDF", _SAVE),
    _define_format(
        rb"(\xef\xbb\xbf)?\s*<(!doctype html|!DOCTYPE html|html|HTML|\?xml)",
        "a web page or XML",
        "",
    ),
    _define_format(
        rb"\xff\xfe\x00\x00|\x00\x00\xfe\xff",
        "text in UTF-32",
        "convert it: iconv -f UTF-32 -t UTF-8",
    ),
    _define_format(
        rb"\x1f\x8b|BZh[1-9]|\xfd7zXZ\x00|\x28\xb5\x2f\xfd",
        "text compressed twice",
        "decompress it once",
    ),
    _define_format(rb"\x93NUMPY", "a NumPy array", _SAVE),
    _define_format(rb"\xff\xfe|\xfe\xff", "text in UTF-16", "convert it: iconv -f UTF-16 -t UTF-8"),
    _define_format(
        rb"(\x00[^\x00]){4}", "text in UTF-16", "convert it: iconv -f UTF-16BE -t UTF-8"
    ),
    _define_format(
        rb"([^\x00]\x00){4}", "text in UTF-16", "convert it: iconv -f UTF-16LE -t UTF-8"
    ),
)


def require_format(path: str, source: Source) -> None:
    """Checks that the file has the configured format.

    Raises ConfigError if exactly one of the two is Parquet, and DataRefused if text is configured
    and the file is neither text nor Parquet.
    """
    stored, head = _read_heads(path)
    if source.format == "parquet":
        _require_parquet(path, stored, head)
        return
    for kind in _FORMATS:
        if kind.magic.match(head):
            _raise_other_format(path, source, kind)
    if head[_TAR_MARK] == b"ustar":
        _raise_other_format(
            path, source, _FileFormat(re.compile(b""), "a tar archive", "extract its files")
        )


def describe_lines(lines: Sequence[bytes]) -> str:
    """Describes `lines`, most of which are not JSON objects, and what to do."""
    start = next((line.strip() for line in lines if line.strip()), b"")
    if start.startswith(b"["):
        return "one array; write one object per line, as jq -c '.[]' does"
    if start.startswith(b"{") and _is_python(start):
        return "Python's dict text; write each with json.dumps"
    if start == b"{" or (start.startswith(b"{") and not start.endswith(b"}")):
        return "objects over several lines; write one per line, as jq -c . does"
    return 'other text; set format = "csv" where it is delimited'


def looks_like_json(line: str) -> bool:
    """Returns whether a header line is JSON."""
    return line.lstrip().startswith(("{", "["))


def _read_heads(path: str) -> tuple[bytes, bytes]:
    """Returns the first bytes of the file as stored, and decompressed."""
    with open_raw(path) as handle:
        stored = handle.read(HEAD_BYTES)
    try:
        with open_decompressed(path) as handle:
            return stored, handle.read(HEAD_BYTES)
    except DAMAGE_ERRORS:  # the run writes a dead letter for it
        return stored, b""


def _require_parquet(path: str, stored: bytes, head: bytes) -> None:
    if stored.startswith(_PARQUET):
        return
    if head.startswith(_PARQUET):
        raise ConfigError(f"{path}: expected Parquet, received compressed Parquet; decompress it")
    for kind in _FORMATS:
        if kind.magic.match(head):
            raise ConfigError(f"{path}: expected Parquet, received {kind.name}; {_CONVERT}")
    if _is_text(head):
        format_ = "jsonl" if looks_like_json(head.decode(errors="replace")) else "csv"
        raise ConfigError(f'{path}: expected Parquet, received text; set format = "{format_}"')


def _raise_other_format(path: str, source: Source, kind: _FileFormat) -> None:
    what = f"{path}: expected text for format = {source.format!r}, received {kind.name}"
    if kind.name == "Parquet":
        raise ConfigError(f"{what}; {kind.advice}")
    raise DataRefused(f"{what}; {kind.advice or 'check the download'}")


def _is_text(head: bytes) -> bool:
    return bool(head) and all(byte >= 0x20 or byte in b"\t\r\n" for byte in head)


def _is_python(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        pass
    else:
        return False
    try:
        return isinstance(ast.literal_eval(line.decode()), dict)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False


def suggest_header_fix(header: list[str], expected: Collection[str], delimiter: str) -> str:
    """Returns a clause for the end of a message.

    Args:
        header: Names in the line.
        expected: Names of the columns that the configuration reads.
        delimiter: Configured delimiter.
    """
    line = delimiter.join(header)
    if looks_like_json(line):
        return 'is it JSON? Then set format = "jsonl"'
    if not line.strip():
        return "the first line is blank; write the column names there"
    if "\r" in line:
        return "lines end in carriage returns only: convert them with tr '\\r' '\\n'"
    for other in _DELIMITERS:
        if set(expected) <= set(line.split(other)):
            return f"set delimiter = {other!r}"
    by_folded_name = {name.strip().casefold(): name for name in header}
    for name in expected:
        close = by_folded_name.get(name.strip().casefold())
        if close is not None and name not in header:
            return f"did you mean {close!r}? Names must match exactly"
    if any(name.strip().isdecimal() for name in header):
        hint = _question_delimiter(delimiter)
        return f"if it is not a header, set columns = […]; otherwise {hint}"
    return _question_delimiter(delimiter)


def _question_delimiter(delimiter: str) -> str:
    return f"is delimiter = {delimiter!r} right?"
