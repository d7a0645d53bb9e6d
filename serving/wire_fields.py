"""How many fields a message holds, counted before it is parsed.

A string, an embedded message or a map's entry of two bytes on the wire takes up to 126 bytes once
it is parsed (protobuf's C++, as measured), so that a message of 64 MiB may become 4 GB. A field of
packed numbers is one field however long.
"""

import itertools
from collections.abc import Iterator

import numpy as np
from google.protobuf.descriptor import Descriptor, FieldDescriptor

_DELIMITED = 2
_FIXED = {1: 8, 5: 4}
_SMALL = 14  # a longer one is little larger parsed than it is on the wire
_WALKED = 100_000
_BLOCK = 1 << 20


def exceed(message: bytes, descriptor: Descriptor, most: int) -> bool:
    """Whether `message` of that type has more than `most` small fields, nested ones too.

    A field whose number is above 15 counts for none: here they are numbers. What has more than
    100,000 fields, small or not, and beyond these contents that look like `most` others, is taken
    to have them: a walk to its end would take seconds.
    """
    if len(message) // 2 <= most:
        return False
    possible = _possible(message, 0, len(message))
    if possible <= most:
        return False
    for at, end in itertools.islice(_contents(message, descriptor), _WALKED):
        possible -= _possible(message, at, end) if end - at >= _SMALL else 0
        if possible <= most:
            return False
    return True


def _possible(message: bytes, at: int, end: int) -> int:
    """Places from `at` to `end` where a small field may begin: never fewer than there are, more
    where numbers, or texts with bytes below 14, look like one.
    """
    view, found = np.frombuffer(message, np.uint8)[at:end], 0
    for begin in range(0, len(view) - 1, _BLOCK):
        size = view[begin + 1 : begin + 1 + _BLOCK]
        tag = view[begin : begin + len(size)]
        found += np.count_nonzero((tag & 7 == _DELIMITED) & (size < _SMALL))
    return found


def _contents(message: bytes, descriptor: Descriptor) -> Iterator[tuple[int, int]]:
    """Where the content of each field lies that holds no fields itself; (0, 0) for the others."""
    parts: list[tuple[int, int, Descriptor]] = [(0, len(message), descriptor)]
    while parts:
        at, end, kind = parts.pop()
        while at < end:
            tag, at = _varint(message, at, end)
            content = (0, 0)
            if tag & 7 == _DELIMITED:
                size, at = _varint(message, at, end)
                content, at = (at, min(at + size, end)), at + size
                nested = _nested(kind, tag >> 3)
                if nested is not None:
                    parts.append((*content, nested))
                    content = (0, 0)
            elif tag & 7 == 0:
                _, at = _varint(message, at, end)
            else:
                at += _FIXED.get(tag & 7, 0)  # a group is its fields
            yield content


def _nested(kind: Descriptor, number: int) -> Descriptor | None:
    field = kind.fields_by_number.get(number)
    return field.message_type if field and field.type == FieldDescriptor.TYPE_MESSAGE else None


def _varint(message: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128 or shift > 63:
            break
        shift += 7
    return value, at
