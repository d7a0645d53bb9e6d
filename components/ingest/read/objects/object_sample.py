"""The first objects of a table's files, for the preflight."""

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from components.ingest.read.blocks import OBJECTS, split_blocks
from components.ingest.read.compression import DAMAGE_ERRORS
from components.ingest.read.objects.object_texts import decode_objects
from components.ingest.read.objects.python_lines import parse_python_dict
from components.ingest.read.text_stream import open_text
from schema.sources import Source

SAMPLE_RECORDS = 10_000
_BLOCK_BYTES = 1 << 20
_LONGEST_LINE = 1 << 24


class ObjectSample(NamedTuple):
    """The first records of a table."""

    texts: list[str]
    """Texts of the records."""
    objects: list[dict[str, Any]]
    """The objects among them."""


def sample_objects(paths: Sequence[str], source: Source) -> ObjectSample:
    """Reads the first SAMPLE_RECORDS records of the files, whose format is one of objects."""
    read = _read_object_texts if source.format == "json" else _read_lines
    every = itertools.chain.from_iterable(read(path, source) for path in paths)
    texts = list(itertools.islice(filter(str.strip, every), SAMPLE_RECORDS))
    parse = parse_python_dict if source.format == "python" else _parse_json
    parsed = map(parse, texts)
    return ObjectSample(texts, [record for record in parsed if record is not None])


def _read_object_texts(path: str, source: Source) -> Iterator[str]:
    with open_text(path, source.encoding) as handle:
        for block in split_blocks(path, handle, _BLOCK_BYTES, OBJECTS):
            yield from decode_objects(block, source.byte_encoding).texts


def _read_lines(path: str, source: Source) -> Iterator[str]:
    try:
        with open_text(path, source.encoding) as handle:
            while line := handle.readline(_LONGEST_LINE):
                yield line.decode(source.byte_encoding, "replace")
    except DAMAGE_ERRORS:
        return


def _parse_json(text: str) -> dict[str, Any] | None:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
