"""Text encodings of files: UTF-8, UTF-16 and the single-byte codecs that extend ASCII."""

import codecs
from typing import Annotated

from pydantic import AfterValidator

UTF_8 = "utf-8"
_UTF_16 = ("utf-16", "utf-16-le", "utf-16-be")
_ASCII = bytes(range(0x80))
_BEYOND_ASCII = bytes(range(0x80, 0x100))
_ESCAPES = b"\\x41\\u0041\x1b(B"  # which some of Python's codecs read as other letters


def is_utf_16(encoding: str) -> bool:
    """Whether a line feed of the encoding has two bytes."""
    return codecs.lookup(encoding).name in _UTF_16


def _require_readable(encoding: str) -> str:
    if not _is_readable(encoding):
        raise ValueError(
            'expected "utf-8", "utf-16", "utf-16-le", "utf-16-be" or a single-byte codec of Python '
            f'that extends ASCII, such as "latin-1" or "cp1252", received {encoding!r}'
        )
    return encoding


def _is_readable(encoding: str) -> bool:
    try:
        name = codecs.lookup(encoding).name
        return name in (UTF_8, *_UTF_16) or _is_single_byte(encoding)
    except (LookupError, ValueError):  # not a codec, or not one of text
        return False


def _is_single_byte(encoding: str) -> bool:
    plain = all(part.decode(encoding) == part.decode("ascii") for part in (_ASCII, _ESCAPES))
    return plain and len(_BEYOND_ASCII.decode(encoding, "replace")) == len(_BEYOND_ASCII)


Encoding = Annotated[str, AfterValidator(_require_readable)]
"""Name of a text encoding."""
