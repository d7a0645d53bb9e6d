"""Detects files in another format than the configured one, and headers without its columns.

The first bytes of a file determine its format. Each message names the key to change.
"""

import codecs
import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from components.ingest.read.compression import DAMAGE_ERRORS, open_decompressed, open_raw
from components.ingest.read.objects.python_lines import parse_python_dict
from schema.errors import ConfigError, DataRefused
from schema.sources import Source
from schema.sources.encodings import is_utf_16

HEAD_BYTES = 1 << 12
_TAR_MARK = slice(257, 262)
_PARQUET = b"PAR1"
_BINARY = rb".{0,64}[\x00-\x08\x0e-\x1f]"  # bytes that text does not contain

_UTF_16 = (
    (re.compile(rb"\xff\xfe|\xfe\xff"), ("utf-16", "utf-16-le", "utf-16-be")),
    (re.compile(rb"(\x00[^\x00]){4}"), ("utf-16-be",)),
    (re.compile(rb"([^\x00]\x00){4}"), ("utf-16-le", "utf-16")),
)
"""Starts of UTF-16 text, each with the values of `encoding` that read it."""


class _FileFormat(NamedTuple):
    magic: re.Pattern[bytes]
    name: str
    advice: str


def _define_format(magic: bytes, name: str, advice: str) -> _FileFormat:
    return _FileFormat(re.compile(magic, re.DOTALL), name, advice)


_SAVE = "save it as CSV or Parquet"

_EXTRACT = "extract it, or compress it with gzip"

_CONVERT = "convert it to Parquet"

_MATRIX = "a sparse matrix of SciPy"

_FORMATS = (
    _define_format(_PARQUET + _BINARY, "Parquet", 'set format = "parquet"'),
    _define_format(rb"PK\x03\x04.*(xl/|\[Content_Types\])", "an Excel workbook", _SAVE),
    _define_format(
        rb"PK\x03\x04.{26}(data|row|col|indices|indptr|offsets|shape|format|blocksize)\.npy",
        _MATRIX,
        'set format = "npz"',
    ),
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
)


_OBJECT_TEXTS = {
    "jsonl": 'one JSON object per line; set format = "jsonl"',
    "json": 'one array, or objects over several lines; set format = "json"',
    "python": 'Python\'s dict text; set format = "python"',
}


def require_format(path: str, source: Source) -> None:
    """Checks that the file has the configured format.

    Raises ConfigError if exactly one of the two is Parquet, and DataRefused if text is configured
    and the file is neither text nor Parquet.
    """
    stored, head = _read_heads(path)
    if source.format == "parquet":
        _require_parquet(path, stored, head)
        return
    if source.format == "npz":
        _require_matrix(path, head)
        return
    for kind in _FORMATS:
        if kind.magic.match(head):
            _raise_other_format(path, source, kind)
    _require_utf_16_where_set(path, source, head)
    if head[_TAR_MARK] == b"ustar":
        _raise_other_format(
            path, source, _FileFormat(re.compile(b""), "a tar archive", "extract its files")
        )


def _require_utf_16_where_set(path: str, source: Source, head: bytes) -> None:
    """Raises ConfigError if exactly one of the file and `encoding` is UTF-16, or of another byte
    order. A byte order mark decides by itself.
    """
    known = next((names for magic, names in _UTF_16 if magic.match(head)), ())
    configured = codecs.lookup(source.encoding).name
    if known and configured not in known:
        raise ConfigError(
            f"{path}: expected text in {source.encoding}, received text in UTF-16; "
            f'set encoding = "{known[0]}"'
        )
    if head and not known and is_utf_16(source.encoding) and b"\x00" not in head:
        raise ConfigError(
            f"{path}: expected text in {source.encoding}, received text of single bytes; "
            'set encoding = "utf-8", or "cp1252" for older files from Windows'
        )


def detect_utf_16(head: bytes) -> str | None:
    """Returns the value of `encoding` for the first bytes of UTF-16; None for other text."""
    return next((names[0] for magic, names in _UTF_16 if magic.match(head)), None)


def is_parquet(path: str) -> bool:
    """Whether the file begins as Parquet."""
    return _read_heads(path)[0].startswith(_PARQUET)


def describe_texts(texts: Sequence[str]) -> str:
    """Describes records, most of which are not objects of the configured format, and what to do."""
    start = next((text.strip() for text in texts if text.strip()), "")
    if not looks_like_json(start):
        return 'other text; set format = "csv" where it is delimited'
    return _OBJECT_TEXTS[choose_object_format(start)]


def choose_object_format(start: str) -> str:
    """Returns the format of text that begins with a bracket or a brace; `start` is its first line.

    A line with one JSON object can also be the beginning of `json`, which is slower to read.
    """
    start = start.strip()
    if not start.startswith("{"):
        return "json"
    if _is_json(start):
        return "jsonl"
    return "python" if parse_python_dict(start) is not None else "json"


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
        first = head.decode(errors="replace").lstrip().partition("\n")[0]
        format_ = choose_object_format(first) if looks_like_json(first) else "csv"
        raise ConfigError(f'{path}: expected Parquet, received text; set format = "{format_}"')


def _require_matrix(path: str, head: bytes) -> None:
    if not head.startswith(b"PK"):
        received = 'text; set format = "lists" or "csv"' if _is_text(head) else "another format"
        raise ConfigError(
            f"{path}: expected a matrix as scipy.sparse.save_npz writes it, received {received}"
        )


def _raise_other_format(path: str, source: Source, kind: _FileFormat) -> None:
    what = f"{path}: expected text for format = {source.format!r}, received {kind.name}"
    if kind.name in ("Parquet", _MATRIX):
        raise ConfigError(f"{what}; {kind.advice}")
    raise DataRefused(f"{what}; {kind.advice or 'check the download'}")


def _is_text(head: bytes) -> bool:
    return bool(head) and all(byte >= 0x20 or byte in b"\t\r\n" for byte in head)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
