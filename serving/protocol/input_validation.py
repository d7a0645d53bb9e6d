"""Checks of a request's inputs: their names, with TensorFlow Serving's messages, and the values of
requests to `retrieval`, `ranking` or `recommender`. Without them the client would get the message
of the op that fails.
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
_TIMES = (signatures.NOW, signatures.HISTORY_TIMESTAMPS)


def check_input_names(
    signature: meta_graph_pb2.SignatureDef, sent: Collection[str], optional: Collection[str]
) -> None:
    """Compares the names of inputs to the signature, with TensorFlow Serving's order and messages.

    Raises RequestError INVALID_ARGUMENT. For an unknown name the message ends with the most similar
    input and the list of all inputs.
    """
    expected, received = set(signature.inputs), set(sent)
    if received == expected or (received < expected and expected - received <= set(optional)):
        return
    raise _build_mismatch_error(signature, received, set(optional))


def suggest_input(unknown: str, expected: Collection[str]) -> str:
    """Message for an unknown input: the most similar name and all inputs."""
    similar = difflib.get_close_matches(_short(unknown), sorted(expected), 1)
    suggestion = f", did you mean {similar[0]}?" if similar else "."
    known = ", ".join(sorted(expected)) or "none"
    return f"{_short(unknown)} is not an input{suggestion} Inputs are: {known}"


def _build_mismatch_error(
    signature: meta_graph_pb2.SignatureDef, sent: set[str], optional: set[str]
) -> RequestError:
    expected = set(signature.inputs)
    unknown = sorted(sent - expected)
    message, end = _describe_mismatch(signature, sent, optional)
    return invalid_argument(
        f"{message}. {suggest_input(unknown[0], expected)}" if unknown else f"{message}{end}"
    )


def _describe_mismatch(
    signature: meta_graph_pb2.SignatureDef, sent: set[str], optional: set[str]
) -> tuple[str, str]:
    """TensorFlow Serving's message and its final punctuation."""
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
    """Formats as {a,b}; beyond 64 names the rest is elided."""
    shown = [_short(name) for name in sorted(names)[:_SHOWN]]
    return "{" + ",".join(shown + (["…"] if len(names) > _SHOWN else [])) + "}"


def _short(name: str) -> str:
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"


def check_recommendation_values(inputs: Mapping[str, np.ndarray]) -> None:
    """Checks the values of all inputs of a call; types and shapes were checked before.

    Raises RequestError INVALID_ARGUMENT for inputs with different numbers of rows, histories with
    different lengths, times that are not in seconds, `k` below 1, and `diversity` that is not
    between 0 and 1.
    """
    _check_rows(inputs)
    _check_history(inputs)
    for alias in _TIMES:
        if alias in inputs:
            _check_times(alias, inputs[alias])
    smallest = int(inputs[signatures.K].min(initial=1)) if signatures.K in inputs else 1
    if smallest < 1:
        raise invalid_argument(
            f"k must be at least 1, received {smallest}; leave it out for the default"
        )
    if signatures.DIVERSITY in inputs:
        _check_diversity(inputs[signatures.DIVERSITY])


def _check_diversity(values: np.ndarray) -> None:
    wrong = values[~((values >= 0) & (values <= 1))]
    if wrong.size:
        raise invalid_argument(
            f"diversity must be between 0 and 1, received {wrong[0]:g}; leave it out for the "
            "default"
        )


def _check_rows(inputs: Mapping[str, Any]) -> None:
    sizes = {alias: len(value) for alias, value in sorted(inputs.items())}
    rows = max(sizes.values())
    different = {alias: size for alias, size in sizes.items() if size not in (1, rows)}
    if different:
        largest = next(alias for alias, size in sizes.items() if size == rows)
        alias, size = next(iter(different.items()))
        raise invalid_argument(
            f"input {alias} has {size} rows and {largest} has {rows}: expected the same number, or "
            "one row for all"
        )


def _check_history(inputs: Mapping[str, Any]) -> None:
    ids, times = inputs[signatures.HISTORY_ITEM_IDS], inputs.get(signatures.HISTORY_TIMESTAMPS)
    if times is not None and times.shape[1] not in (0, ids.shape[1]):
        raise invalid_argument(
            f"{signatures.HISTORY_TIMESTAMPS} must be as long as {signatures.HISTORY_ITEM_IDS}, or "
            f"be left out: received {times.shape[1]} times and {ids.shape[1]} items a row"
        )


def _check_times(alias: str, values: np.ndarray) -> None:
    if not values.size or (latest := int(values.max())) <= _LATEST:
        return
    match = next((unit for unit in _UNITS if latest // unit[1] <= _LATEST), None)
    problem = "which is too far in the future"
    if match is not None:
        name, factor = match
        problem = f"which looks like {name}: send {latest // factor}"
    raise invalid_argument(
        f"{alias}: expected seconds since epoch, UTC, received {latest}, {problem}"
    )
