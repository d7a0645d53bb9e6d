"""JSON lines -> columns of Python objects."""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.read.records import (
    BROKEN_JSON,
    INVALID_ENCODING,
    REPEATED_KEY,
    Fault,
    Records,
)


def parse_json_lines(texts: Sequence[str], names: Collection[str]) -> Records:
    """Parses one object per line and keeps the keys `names`; a missing key is None.

    A line is a fault if it is not a JSON object, if its escapes are not valid Unicode, or if it has
    one of the keys `names` twice.
    """
    records, index, faults = [], [], {}
    suspects = _find_suspects(texts, names)
    decode = json.JSONDecoder().decode  # `loads` checks its options for each line
    for n, text in enumerate(texts):
        record = _decode_object(text, decode)
        if record is None:
            faults[n] = Fault(BROKEN_JSON, _describe_fault(text))
        elif not _is_unicode(text, record):
            faults[n] = Fault(
                INVALID_ENCODING, "expected valid Unicode escapes, received half a surrogate pair"
            )
        elif n in suspects and (key := _find_repeated_key(text, names)) is not None:
            faults[n] = Fault(REPEATED_KEY, f"expected each key once, received {key!r} twice")
        else:
            records.append(record)
            index.append(n)
    columns = {name: [record.get(name) for record in records] for name in names}
    return Records(columns, np.array(index, np.int64), faults)


def _decode_object(text: str, decode: Callable[[str], Any]) -> dict[str, Any] | None:
    try:
        record = decode(text)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _describe_fault(text: str) -> str:
    """Describes a line that is not an object."""
    start = text.lstrip()[:2]
    if start.startswith("["):
        return "expected one object per line, received an array"
    if start == "{'":
        return "expected JSON with double quotes, received the text of a Python dict"
    return "expected one whole JSON object on the line"


def _find_suspects(texts: Sequence[str], names: Collection[str]) -> set[int]:
    """Lines in which a key's text occurs twice, possibly in a nested object or as a value."""
    lines = pa.array(texts, pa.large_string())
    patterns = [json.dumps(key, ensure_ascii=False) for key in names]
    counts = [pc.count_substring(lines, pattern).to_numpy() for pattern in patterns]
    return set(np.flatnonzero((np.array(counts) > 1).any(axis=0)).tolist()) if counts else set()


def _find_repeated_key(text: str, names: Collection[str]) -> str | None:
    objects: list[list[str]] = []  # nested objects come first

    def keys(pairs: list[tuple[str, Any]]) -> None:
        objects.append([key for key, _ in pairs])

    json.loads(text, object_pairs_hook=keys)
    return next((key for key in names if objects[-1].count(key) > 1), None)


def _is_unicode(text: str, record: dict[str, Any]) -> bool:
    """False if an escape is half a surrogate pair, which UTF-8 cannot represent."""
    if "\\u" not in text:
        return True
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
