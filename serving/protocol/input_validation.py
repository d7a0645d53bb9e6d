"""Names of a request's inputs beside those of its signature."""

import difflib
from collections.abc import Collection

from tensorflow.core.protobuf import meta_graph_pb2

from serving.protocol.errors import RequestError, invalid

_SHOWN = 64


def check(
    signature: meta_graph_pb2.SignatureDef, sent: Collection[str], optional: Collection[str]
) -> None:
    """In TensorFlow Serving's order and words; where one of them is no input, the nearest that is,
    and all inputs, follow. Raises RequestError INVALID_ARGUMENT.
    """
    expected, given = set(signature.inputs), set(sent)
    if given == expected or (given < expected and expected - given <= set(optional)):
        return
    raise _refused(signature, given, set(optional))


def nearest(unknown: str, expected: Collection[str]) -> str:
    """One sentence about an input that is none."""
    found = difflib.get_close_matches(_short(unknown), sorted(expected), 1)
    meant = f", did you mean {found[0]}?" if found else "."
    known = ", ".join(sorted(expected)) or "none"
    return f"{_short(unknown)} is no input{meant} Inputs are: {known}"


def _refused(
    signature: meta_graph_pb2.SignatureDef, sent: set[str], optional: set[str]
) -> RequestError:
    expected = set(signature.inputs)
    unknown = sorted(sent - expected)
    words, end = _words(signature, sent, optional)
    return invalid(f"{words}. {nearest(unknown[0], expected)}" if unknown else f"{words}{end}")


def _words(
    signature: meta_graph_pb2.SignatureDef, sent: set[str], optional: set[str]
) -> tuple[str, str]:
    """Theirs, and what ends them."""
    expected = set(signature.inputs)
    if len(sent) > len(expected) or (len(sent) < len(expected) and not optional):
        return (
            f"input size does not match signature: {len(sent)}!={len(expected)} "
            f"len({listed(sent)}) != len({listed(expected)}). "
            f"Sent extra: {listed(sent - expected)}. "
            f"Missing but required: {listed(expected - sent)}"
        ), "."
    missing = sorted(expected - sent - optional)
    if missing:
        return (
            f"Signature input alias: {missing[0]}(feed name: {signature.inputs[missing[0]].name}) "
            "not found in request and no default value provided. Inputs expected to be in the "
            f"request {listed(sent)}, or default input alias set: {','.join(sorted(optional))}"
        ), ""
    return (
        f"Inputs contains invalid name. Used request inputs: {','.join(sorted(sent & expected))}, "
        f"request input: {','.join(map(_short, sorted(sent)))}"
    ), ""


def listed(names: Collection[str]) -> str:
    """{a,b}; of many the first."""
    shown = [_short(name) for name in sorted(names)[:_SHOWN]]
    return "{" + ",".join(shown + (["…"] if len(names) > _SHOWN else [])) + "}"


def _short(name: str) -> str:
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
