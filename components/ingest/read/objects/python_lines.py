"""Lines with one Python dict each, as Steam's and the older Amazon dumps have them -> columns."""

import ast
import warnings
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from components.ingest.read.nested.column_path import list_base_columns
from components.ingest.read.nested.literal_text import PYTHON_ERRORS, is_unicode
from components.ingest.read.objects.json_lines import read_columns
from components.ingest.read.records import (
    BROKEN_PYTHON,
    INVALID_ENCODING,
    REPEATED_KEY,
    Fault,
    Records,
)


def parse_python_lines(texts: Sequence[str], names: Collection[str]) -> Records:
    """Parses one dict of literals per text and keeps the columns `names`, keys or paths; a missing
    value is None. Nothing is executed.

    A text is a fault if it is not such a dict, if its escapes are not valid Unicode, or if it has
    one of the keys `names` twice.
    """
    records, index, faults = [], [], {}
    keys = list_base_columns(names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of invalid escapes such as \d, which stay as they are
        for n, text in enumerate(texts):
            parsed = _parse_dict(text, keys)
            if isinstance(parsed, Fault):
                faults[n] = parsed
            else:
                records.append(parsed)
                index.append(n)
    return Records(read_columns(records, names), np.array(index, np.int64), faults)


def parse_python_dict(text: str) -> dict[Any, Any] | None:
    """Returns the dict of literals that the text is, or None."""
    parsed = _parse_dict(text, ())
    return None if isinstance(parsed, Fault) else parsed


def _parse_dict(text: str, keys: Collection[str]) -> dict[Any, Any] | Fault:
    try:
        node = ast.parse(text.strip(), mode="eval").body
        record = ast.literal_eval(node)
    except PYTHON_ERRORS:
        return Fault(BROKEN_PYTHON, "expected one Python dict of literals")
    if not isinstance(node, ast.Dict):
        return Fault(BROKEN_PYTHON, f"expected one Python dict, received a {type(record).__name__}")
    if not is_unicode(text, record):
        return Fault(
            INVALID_ENCODING, "expected valid Unicode escapes, received half a surrogate pair"
        )
    received = [key.value for key in node.keys if isinstance(key, ast.Constant)]
    repeated = [key for key in keys if received.count(key) > 1]
    if repeated:
        return Fault(REPEATED_KEY, f"expected each key once, received {repeated[0]!r} twice")
    return record
