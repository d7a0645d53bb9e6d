"""JSON lines -> columns of Python objects."""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from components.ingest.records import Records
from components.ingest.rejection import BROKEN_JSON, INVALID_ENCODING, Fault


def parse(texts: Sequence[str], wanted: Collection[str]) -> Records:
    """Reads one object a line and keeps the keys `wanted`; a key that is not there is None.

    A line that is no JSON object is a fault, and so is one whose escapes make no Unicode text.
    """
    records, index, faults = [], [], {}
    decode = json.JSONDecoder().decode  # `loads` looks at its options again for each line
    for n, text in enumerate(texts):
        record = _object(text, decode)
        if record is None:
            faults[n] = Fault(BROKEN_JSON, _looks_like(text))
        elif not _is_unicode(text, record):
            faults[n] = Fault(INVALID_ENCODING, "an escape stands for half a surrogate pair")
        else:
            records.append(record)
            index.append(n)
    columns = {name: [record.get(name) for record in records] for name in wanted}
    return Records(columns, np.array(index, np.int64), faults)


def _object(text: str, decode: Callable[[str], Any]) -> dict[str, Any] | None:
    try:
        record = decode(text)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _looks_like(text: str) -> str:
    """What stands there in place of an object."""
    start = text.lstrip()[:2]
    if start.startswith("["):
        return "expected one object a line, received an array"
    if start == "{'":
        return "expected double quotes, as JSON has them, received Python's dict text"
    return "expected one whole JSON object on the line"


def _is_unicode(text: str, record: dict[str, Any]) -> bool:
    """False where an escape stands for half a surrogate pair: no UTF-8 can hold that."""
    if "\\u" not in text:
        return True
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
