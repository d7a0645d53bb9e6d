"""What a request to `retrieval`, `ranking` or `recommender` must say to make sense, in one sentence
where it does not: TensorFlow's own words for it are those of the op that fails.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from schema import signatures
from serving.protocol.errors import invalid

_LATEST = 10**11
"""Seconds since epoch, in the year 5138; in milliseconds it is 1973."""
_UNITS = (("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9))
_MOMENTS = (signatures.NOW, signatures.HISTORY_TIMESTAMPS)


def check(inputs: Mapping[str, np.ndarray]) -> None:
    """Of all inputs of a call, whose types and shapes are the signature's.

    Raises RequestError INVALID_ARGUMENT for rows or histories that differ in length, moments that
    are not in seconds, and `k` below 1.
    """
    _check_rows(inputs)
    _check_history(inputs)
    for alias in _MOMENTS:
        if alias in inputs:
            _check_moments(alias, inputs[alias])
    least = int(inputs[signatures.K].min(initial=1)) if signatures.K in inputs else 1
    if least < 1:
        raise invalid(f"k must be at least 1, received {least}; leave it out for the default")


def _check_rows(inputs: Mapping[str, Any]) -> None:
    sizes = {alias: len(value) for alias, value in sorted(inputs.items())}
    rows = max(sizes.values())
    unlike = {alias: size for alias, size in sizes.items() if size not in (1, rows)}
    if unlike:
        largest = next(alias for alias, size in sizes.items() if size == rows)
        alias, size = next(iter(unlike.items()))
        raise invalid(
            f"input {alias} has {size} rows and {largest} has {rows}: expected as many, or one, "
            "which holds for all"
        )


def _check_history(inputs: Mapping[str, Any]) -> None:
    ids, times = inputs[signatures.HISTORY_ITEM_IDS], inputs.get(signatures.HISTORY_TIMESTAMPS)
    if times is not None and times.shape[1] not in (0, ids.shape[1]):
        raise invalid(
            f"{signatures.HISTORY_TIMESTAMPS} must be as long as {signatures.HISTORY_ITEM_IDS}, or "
            f"be left out: received {times.shape[1]} times and {ids.shape[1]} items a row"
        )


def _check_moments(alias: str, moments: np.ndarray) -> None:
    if not moments.size or (latest := int(moments.max())) <= _LATEST:
        return
    found = next((unit for unit in _UNITS if latest // unit[1] <= _LATEST), None)
    words = "which is too late for any"
    if found is not None:
        name, factor = found
        words = f"which looks like {name}: send {latest // factor}"
    raise invalid(f"{alias}: expected seconds since epoch, UTC, received {latest}, {words}")
