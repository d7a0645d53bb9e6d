"""Checks of a request's inputs: their names against the signature's, in TensorFlow Serving's words,
and what a request to `retrieval`, `ranking` or `recommender` must say to make sense. Without them
the words would be those of the op that fails.
"""

import difflib
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from tensorflow.core.protobuf import meta_graph_pb2

from schema import signatures
from serving.protocol.errors import RequestError, invalid_argument

_SHOWN = 64
_LATEST = 10**11
"""Seconds since epoch, in the year 5138; in milliseconds it is 1973."""
_UNITS = (("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9))
_MOMENTS = (signatures.NOW, signatures.HISTORY_TIMESTAMPS)


def check_input_names(
    signature: meta_graph_pb2.SignatureDef, sent: Collection[str], optional: Collection[str]
) -> None:
    """In TensorFlow Serving's order and words; where one of them is no input, the nearest that is,
    and all inputs, follow. Raises RequestError INVALID_ARGUMENT.
    """
    expected, given = set(signature.inputs), set(sent)
    if given == expected or (given < expected and expected - given <= set(optional)):
        return
    raise _refuse(signature, given, set(optional))


def suggest_input(unknown: str, expected: Collection[str]) -> str:
    """One sentence about an input that is none."""
    found = difflib.get_close_matches(_short(unknown), sorted(expected), 1)
    meant = f", did you mean {found[0]}?" if found else "."
    known = ", ".join(sorted(expected)) or "none"
    return f"{_short(unknown)} is no input{meant} Inputs are: {known}"


def _refuse(
    signature: meta_graph_pb2.SignatureDef, sent: set[str], optional: set[str]
) -> RequestError:
    expected = set(signature.inputs)
    unknown = sorted(sent - expected)
    words, end = _describe_mismatch(signature, sent, optional)
    return invalid_argument(
        f"{words}. {suggest_input(unknown[0], expected)}" if unknown else f"{words}{end}"
    )


def _describe_mismatch(
    signature: meta_graph_pb2.SignatureDef, sent: set[str], optional: set[str]
) -> tuple[str, str]:
    """Theirs, and what ends them."""
    expected = set(signature.inputs)
    if len(sent) > len(expected) or (len(sent) < len(expected) and not optional):
        return (
            f"input size does not match signature: {len(sent)}!={len(expected)} "
            f"len({format_names(sent)}) != len({format_names(expected)}). "
            f"Sent extra: {format_names(sent - expected)}. "
            f"Missing but required: {format_names(expected - sent)}"
        ), "."
    missing = sorted(expected - sent - optional)
    if missing:
        return (
            f"Signature input alias: {missing[0]}(feed name: {signature.inputs[missing[0]].name}) "
            "not found in request and no default value provided. Inputs expected to be in the "
            f"request {format_names(sent)}, or default input alias set: "
            f"{','.join(sorted(optional))}"
        ), ""
    return (
        f"Inputs contains invalid name. Used request inputs: {','.join(sorted(sent & expected))}, "
        f"request input: {','.join(map(_short, sorted(sent)))}"
    ), ""


def format_names(names: Collection[str]) -> str:
    """{a,b}; of many the first."""
    shown = [_short(name) for name in sorted(names)[:_SHOWN]]
    return "{" + ",".join(shown + (["…"] if len(names) > _SHOWN else [])) + "}"


def _short(name: str) -> str:
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"


def check_recommendation_values(inputs: Mapping[str, np.ndarray]) -> None:
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
        raise invalid_argument(
            f"k must be at least 1, received {least}; leave it out for the default"
        )


def _check_rows(inputs: Mapping[str, Any]) -> None:
    sizes = {alias: len(value) for alias, value in sorted(inputs.items())}
    rows = max(sizes.values())
    unlike = {alias: size for alias, size in sizes.items() if size not in (1, rows)}
    if unlike:
        largest = next(alias for alias, size in sizes.items() if size == rows)
        alias, size = next(iter(unlike.items()))
        raise invalid_argument(
            f"input {alias} has {size} rows and {largest} has {rows}: expected as many, or one, "
            "which holds for all"
        )


def _check_history(inputs: Mapping[str, Any]) -> None:
    ids, times = inputs[signatures.HISTORY_ITEM_IDS], inputs.get(signatures.HISTORY_TIMESTAMPS)
    if times is not None and times.shape[1] not in (0, ids.shape[1]):
        raise invalid_argument(
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
    raise invalid_argument(
        f"{alias}: expected seconds since epoch, UTC, received {latest}, {words}"
    )
