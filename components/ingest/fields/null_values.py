"""Texts that stand for a missing value, such as `NULL`."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.read.records import Values

_HASHABLE = frozenset({str, int, float, bool, type(None)})


def replace_nulls(values: Values, nulls: tuple[str, ...]) -> Values:
    """Returns `values` with null in place of each text that is one of `nulls`; other types and
    texts within lists stay.
    """
    if not nulls:
        return values
    if isinstance(values, list):
        texts, types = set(nulls), set(map(type, values))
        if str not in types or (types <= _HASHABLE and texts.isdisjoint(values)):
            return values
        return [None if isinstance(value, str) and value in texts else value for value in values]
    if not pa.types.is_large_string(values.type) or not _may_contain(values, nulls):
        return values
    found = pc.is_in(values, value_set=pa.array(nulls, pa.large_string()))
    return pc.if_else(found, pa.scalar(None, pa.large_string()), values)


def _may_contain(texts: pa.Array, nulls: tuple[str, ...]) -> bool:
    """Whether the bytes of the column allow one of `nulls`; checking them takes a small part of the
    time of checking values, and columns of numbers have no letters.
    """
    characters = texts.buffers()[2]
    if characters is None:
        return False
    highest = int(np.frombuffer(characters, np.uint8).max(initial=0))
    possible = [text.encode() for text in nulls if max(text.encode(), default=0) <= highest]
    if len(possible) > 1:
        return True
    return any(text in characters.to_pybytes() for text in possible)
