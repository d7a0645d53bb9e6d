"""JSON lines -> columns of Python objects."""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.read.nested.column_path import list_base_columns, select_columns
from components.ingest.read.nested.extended_json import unwrap_objects
from components.ingest.read.nested.literal_text import is_unicode, read_constant
from components.ingest.read.records import (
    BROKEN_JSON,
    INVALID_ENCODING,
    REPEATED_KEY,
    Fault,
    Records,
    Values,
)


def parse_json_lines(texts: Sequence[str], names: Collection[str]) -> Records:
    """Parses one object per text and keeps the columns `names`, keys or paths; a missing value and
    `NaN` are None.

    A text is a fault if it is not a JSON object, if its escapes are not valid Unicode, or if it has
    one of the keys `names` twice.
    """
    records, index, faults = [], [], {}
    keys = list_base_columns(names)
    suspects = _find_suspects(texts, keys)
    decode = json.JSONDecoder(parse_constant=read_constant).decode
    for n, text in enumerate(texts):
        record = _decode_object(text, decode)
        if record is None:
            faults[n] = Fault(BROKEN_JSON, _describe_fault(text))
        elif not is_unicode(text, record):
            faults[n] = Fault(
                INVALID_ENCODING, "expected valid Unicode escapes, received half a surrogate pair"
            )
        elif n in suspects and (key := _find_repeated_key(text, keys)) is not None:
            faults[n] = Fault(REPEATED_KEY, f"expected each key once, received {key!r} twice")
        else:
            records.append(record)
            index.append(n)
    return Records(read_columns(records, names), np.array(index, np.int64), faults)


def read_columns(records: Sequence[dict[str, Any]], names: Collection[str]) -> dict[str, Values]:
    """Returns the columns `names`, keys or paths, of objects; a missing value is None."""
    columns = select_columns(records, names)
    return {name: unwrap_objects(values) for name, values in columns.items()}


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
        return 'expected one object per line, received an array; format = "json" reads arrays'
    if start in ("{'", "{u"):
        return 'expected JSON with double quotes, received Python; set format = "python"'
    return "expected one whole JSON object"


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
