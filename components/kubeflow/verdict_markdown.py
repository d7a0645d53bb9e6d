"""A run's verdict in Markdown, for its page."""

from collections.abc import Iterator, Mapping
from typing import Any

_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>#|~"})


def format_verdict(verdict: Mapping[str, Any]) -> str:
    """`verdict` as `components.run_verdict` makes it. What others have written stands there as
    text, whatever signs it holds.
    """
    return "\n".join(_format_lines(verdict)) + "\n"


def _format_lines(verdict: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {verdict['outcome']}"
    yield ""
    if verdict["pushed"] is not None:
        yield f"Version {verdict['pushed']} is pushed."
    elif verdict["blessed"]:
        yield "The models are blessed; nothing is pushed."
    else:
        yield "Nothing is pushed."
    if verdict["failed_task"]:
        yield ""
        yield f"{_escape(verdict['failed_task'])}:"
        yield ""
        for line in verdict["error"].splitlines():
            yield f"> {_escape(line)}  "
    if verdict["failures"]:
        yield ""
        yield "What the evaluation found wanting:"
        yield ""
        for failure in verdict["failures"]:
            yield f"- {_escape(failure)}"


def _escape(text: str) -> str:
    return text.translate(_SIGNS)
