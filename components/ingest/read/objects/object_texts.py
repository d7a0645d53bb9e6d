"""A block of JSON text as the text of each object, with the number of its first line."""

from collections.abc import Iterator

import numpy as np

from components.ingest.read.blocks import Block
from components.ingest.read.lines import BYTE_ORDER_MARK, Lines, decode_block
from components.ingest.read.objects.object_bounds import SEPARATORS, find_objects
from components.ingest.read.records import INVALID_ENCODING, DeadLetter


def decode_objects(block: Block, encoding: str) -> Lines:
    """Decodes a block to the texts of its objects. Other text between objects is one record per
    line, which is not JSON.
    """
    if block.damaged:
        return decode_block(block, encoding)
    data = block.data.removeprefix(BYTE_ORDER_MARK) if block.offset == 0 else block.data
    bounds = list(_list_bounds(data))
    newlines = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    numbers = block.first_line + np.searchsorted(newlines, [begin for begin, _ in bounds])
    texts: list[str] = []
    rejected = []
    kept = np.ones(len(bounds), bool)
    for n, (begin, end) in enumerate(bounds):
        try:
            texts.append(data[begin:end].decode(encoding))
        except UnicodeDecodeError:
            kept[n] = False
            raw = data[begin:end].decode(encoding, "backslashreplace")
            rejected.append(DeadLetter(block.path, int(numbers[n]), INVALID_ENCODING, raw))
    return Lines(block.path, texts, numbers[kept].astype(np.int64), rejected, offset=block.offset)


def _list_bounds(data: bytes) -> Iterator[tuple[int, int]]:
    end = 0
    for begin, stop in find_objects(data, is_whole=True).tolist():
        yield from _find_other_text(data, end, begin)
        yield begin, stop
        end = stop
    yield from _find_other_text(data, end, len(data))


def _find_other_text(data: bytes, begin: int, end: int) -> Iterator[tuple[int, int]]:
    for line in data[begin:end].split(b"\n"):
        text = line.strip(SEPARATORS)
        if text:
            at = begin + line.index(text)
            yield at, at + len(text)
        begin += len(line) + 1
