"""`--param name=value`: what a run is told, checked before anything starts."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from pipeline.kubeflow.parameters import PARAMETER_TYPE
from schema.errors import UsageError
from schema.sources import SPANS
from schema.storage import locations
from trainer.blessing_config import THRESHOLDS

# KFP's scheduler puts the time in, as in [[ScheduledTime.2006-01-02]] (Go's way to write a layout):
# backend/src/common/util/parameter_formatter.go, of release 2.16 and later.
_AT_SCHEDULE = r"\[\[(ScheduledTime|CurrentTime)(\..+)?\]\]"


def parsed(given: Iterable[str], declared: Mapping[str, Any]) -> dict[str, str | int]:
    """Values by name; `declared` are the parameters of the document's root.

    Raises UsageError for a name that the document does not have, and for a value that does not fit.
    """
    found: dict[str, str | int] = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not equals:
            raise UsageError(f"--param expects name=value, received {each!r}")
        if name not in declared:
            raise UsageError(
                f"--param expects one of {', '.join(sorted(declared))}, received {name!r}"
            )
        found[name] = _value(name, text, declared[name].parameter_type)
    return found


def _value(name: str, text: str, kind: int) -> str | int:
    if kind == PARAMETER_TYPE.NUMBER_INTEGER:
        return _whole_number(name, text)
    _CHECKS.get(name, _filled)(name, text)
    return _place(text) if name == "data" else text


def _whole_number(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]+", text) or int(text) < 1:
        raise _unfit(name, "a whole number above 0", text)
    return int(text)


def _span(name: str, text: str) -> None:
    if text and not re.fullmatch(f"{SPANS}|{_AT_SCHEDULE}", text):
        raise _unfit(name, "a span such as 2024-01-31 or 7", text)


def _thresholds(name: str, text: str) -> None:
    try:
        THRESHOLDS.validate_json(text)
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        example = '[{"metric": "ndcg@10", "at_least": 0.1}]'
        raise _unfit(name, f"JSON of blessing.thresholds such as {example}", text, said) from error


def _place(text: str) -> str:
    try:
        return locations.of_tasks(text, locations.READABLE)
    except UsageError as error:
        raise UsageError(f"--param data: {error}") from error


def _filled(name: str, text: str) -> None:
    if not text or re.search(r"\s", text):
        raise _unfit(name, "a name or place without blanks", text)


def _unfit(name: str, expected: str, received: str, said: str = "") -> UsageError:
    why = f" ({said})" if said else ""
    return UsageError(f"--param {name}: expected {expected}, received {received!r}{why}")


_CHECKS: dict[str, Callable[[str, str], None]] = {"span": _span, "thresholds": _thresholds}
