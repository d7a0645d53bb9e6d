"""Files that are of another kind than the configuration says, known by how they begin."""

import ast
import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from components.ingest.read import compression
from schema.errors import ConfigError, DataRefused
from schema.sources import Source

HEAD_BYTES = 1 << 12
_TAR_MARK = slice(257, 262)
_PARQUET = b"PAR1"
_BINARY = rb".{0,64}[\x00-\x08\x0e-\x1f]"  # which text does not hold


class _Kind(NamedTuple):
    magic: re.Pattern[bytes]
    name: str
    advice: str


def _kind(magic: bytes, name: str, advice: str) -> _Kind:
    return _Kind(re.compile(magic, re.DOTALL), name, advice)


_SAVE = "save it as CSV or Parquet"
_UNPACK = "unpack it, or pack it with gzip"
_CONVERT = "convert it to Parquet"
_KINDS = (
    _kind(_PARQUET + _BINARY, "Parquet", 'set format = "parquet"'),
    _kind(rb"PK\x03\x04.*(xl/|\[Content_Types\])", "an Excel workbook", _SAVE),
    _kind(rb"PK[\x03\x05\x07]", "a zip archive", _UNPACK),
    _kind(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook", _SAVE),
    _kind(rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|\x1f\x9d", "a packed archive", _UNPACK),
    _kind(rb"\x04\x22\x4d\x18|\xff\x06\x00\x00s[Nn][Aa]P[Pp]Y", "packed text", _UNPACK),
    _kind(rb"ORC" + _BINARY, "ORC", _CONVERT),
    _kind(rb"Obj\x01", "Avro", _CONVERT),
    _kind(rb"(ARROW1|FEA1)\x00", "Arrow's own format", _CONVERT),
    _kind(rb"SQLite format 3\x00", "an SQLite database", _SAVE),
    _kind(rb"\x89HDF\r\n\x1a\n", "HDF5", _SAVE),
    _kind(rb"\x80[\x02-\x05]", "a Python pickle", _SAVE),
    _kind(rb"%PDF-", "a PDF", _SAVE),
    _kind(
        rb"(\xef\xbb\xbf)?\s*<(!doctype html|!DOCTYPE html|html|HTML|\?xml)",
        "a web page or XML",
        "",
    ),
    _kind(
        rb"\xff\xfe\x00\x00|\x00\x00\xfe\xff",
        "text in UTF-32",
        "convert it: iconv -f UTF-32 -t UTF-8",
    ),
    _kind(
        rb"\x1f\x8b|BZh[1-9]|\xfd7zXZ\x00|\x28\xb5\x2f\xfd", "text packed twice", "unpack it once"
    ),
    _kind(rb"\x93NUMPY", "a NumPy array", _SAVE),
    _kind(rb"\xff\xfe|\xfe\xff", "text in UTF-16", "convert it: iconv -f UTF-16 -t UTF-8"),
    _kind(rb"(\x00[^\x00]){4}", "text in UTF-16", "convert it: iconv -f UTF-16BE -t UTF-8"),
    _kind(rb"([^\x00]\x00){4}", "text in UTF-16", "convert it: iconv -f UTF-16LE -t UTF-8"),
)


def expect(path: str, source: Source) -> None:
    """Raises ConfigError where the configuration names another format than the file has, and
    DataRefused where the file has none that can be read.
    """
    packed, head = _heads(path)
    if source.format == "parquet":
        _expect_parquet(path, packed, head)
        return
    for kind in _KINDS:
        if kind.magic.match(head):
            _refuse(path, source, kind)
    if head[_TAR_MARK] == b"ustar":
        _refuse(path, source, _Kind(re.compile(b""), "a tar archive", "unpack its files"))


def looks_like(lines: Sequence[bytes]) -> str:
    """What `lines`, of which most are no JSON objects, are; and what to do."""
    start = next((line.strip() for line in lines if line.strip()), b"")
    if start.startswith(b"["):
        return "one array; write one object a line, as jq -c '.[]' does"
    if start.startswith(b"{") and _is_python(start):
        return "Python's dict text; write each with json.dumps"
    if start == b"{" or (start.startswith(b"{") and not start.endswith(b"}")):
        return "objects over several lines; write one a line, as jq -c . does"
    return 'other text; set format = "csv" where it is delimited'


def is_json(line: str) -> bool:
    """Whether what should be a header is JSON."""
    return line.lstrip().startswith(("{", "["))


def _heads(path: str) -> tuple[bytes, bytes]:
    """First bytes as they are stored, and unpacked."""
    with compression.open_packed(path) as handle:
        packed = handle.read(HEAD_BYTES)
    try:
        with compression.open_bytes(path) as handle:
            return packed, handle.read(HEAD_BYTES)
    except compression.DAMAGED:  # the run makes a letter of it
        return packed, b""


def _expect_parquet(path: str, packed: bytes, head: bytes) -> None:
    if packed.startswith(_PARQUET):
        return
    if head.startswith(_PARQUET):
        raise ConfigError(f"{path}: expected Parquet, received packed Parquet; unpack it")
    for kind in _KINDS:
        if kind.magic.match(head):
            raise ConfigError(f"{path}: expected Parquet, received {kind.name}; {_CONVERT}")
    if _is_text(head):
        format_ = "jsonl" if is_json(head.decode(errors="replace")) else "csv"
        raise ConfigError(f'{path}: expected Parquet, received text; set format = "{format_}"')


def _refuse(path: str, source: Source, kind: _Kind) -> None:
    what = f"{path}: expected text for format = {source.format!r}, received {kind.name}"
    if kind.name == "Parquet":
        raise ConfigError(f"{what}; {kind.advice}")
    raise DataRefused(f"{what}; {kind.advice or 'was it downloaded as it should be?'}")


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
