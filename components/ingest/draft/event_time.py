"""Which column of a log is the time of its events, and how it is written."""

from collections.abc import Sequence
from typing import Any

from components.ingest.draft import names
from components.ingest.draft.column import (
    Column,
    TimeForm,
    detect_time,
    holds_integers,
    holds_numbers,
)
from components.ingest.draft.named_columns import choose_by_name

_ORIGIN = "2020-01-01T00:00:00Z"


def find_time(columns: Sequence[Column]) -> tuple[str | None, dict[str, Any], list[str]]:
    """Returns the column of the time, its `timestamp_…` keys, and what is unsure about them."""
    forms = {column.name: form for column in columns if (form := detect_time(column))}
    best = choose_by_name([column for column in columns if column.name in forms], names.TIMES)
    name = best.name if best is not None else next(iter(forms), None)
    if name is None:
        return _find_relative_time(columns)
    form = forms[name]
    keys = {f"timestamp_{key}": value for key, value in form.options.items()}
    others = [other for other in forms if other != name]
    doubts = [f"timestamp: {', '.join(others)} could be the time too"] if others else []
    return name, keys, doubts + _doubt_form(form)


def _find_relative_time(columns: Sequence[Column]) -> tuple[str | None, dict[str, Any], list[str]]:
    """A column named as a time, whose numbers count from a moment that is not known."""
    named = choose_by_name([column for column in columns if holds_integers(column)], names.TIMES)
    if named is None:
        return _find_unknown_form(columns)
    doubt = (
        "timestamp_origin: the times do not count from 1970; which moment do they count from, and "
        "in which unit?"
    )
    return named.name, {"timestamp_origin": _ORIGIN}, [doubt]


def _find_unknown_form(columns: Sequence[Column]) -> tuple[str | None, dict[str, Any], list[str]]:
    """A column named as a time, whose texts have no known form: a log with times stays one."""
    texts = [column for column in columns if column.texts and not holds_numbers(column)]
    named = choose_by_name(texts, names.TIMES)
    if named is None:
        return None, {}, []
    doubt = (
        f"timestamp_format: values such as {named.texts[0]!r} have no known form; set "
        "timestamp_format, as of Python's strptime"
    )
    return named.name, {}, [doubt]


def _doubt_form(form: TimeForm) -> list[str]:
    doubts = []
    if form.is_ambiguous:
        doubts.append(
            f"timestamp_format: {form.format} fits, and so does the other order of day and month"
        )
    if form.is_local:
        doubts.append(
            'timezone: the times state none and are read as UTC; else set it, as "Europe/Berlin"'
        )
    return doubts
