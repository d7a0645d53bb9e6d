"""The verdict of a run in Markdown, for KFP's page of the run."""

from collections.abc import Iterator, Mapping
from typing import Any

_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>#|~"})


def format_verdict(verdict: Mapping[str, Any]) -> str:
    """Formats a verdict of `components.run_verdict.describe_run`; texts are escaped."""
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
        yield "Failures of the evaluation:"
        yield ""
        for failure in verdict["failures"]:
            yield f"- {_escape(failure)}"


def _escape(text: str) -> str:
    return text.translate(_SIGNS)
