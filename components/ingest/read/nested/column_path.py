"""Column names that are paths into nested values.

    user.id                        the key `id` of the object in the column `user`
    items[0].id                    the first element of a list
    genres[].name                  every element of a list, as a list
    params[key=page].value.text    the first element whose `key` is `page`

An object or list can also be JSON or Python text. A column that has the whole name is preferred.
"""

import functools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Union

from components.ingest.read.nested.literal_text import parse_literal

_NAME = r"[^.\[\]]+"
_STEP = re.compile(
    rf"\.(?P<key>{_NAME})|\[(?P<position>\d+)\]|\[\]"
    r"|\[(?P<name>[^=\[\]]+)=(?P<value>[^\[\]]*)\]"
)
_PATH = re.compile(rf"(?P<column>{_NAME})(?P<steps>(?:\.{_NAME}|\[[^\[\]]*\])+)")


class Every(NamedTuple):
    """The step to all elements of a list."""

    name: str = "[]"


class Match(NamedTuple):
    """The step to the first element of a list whose `key` has a value."""

    key: str
    value: str


Step = Union[str, int, Every, Match]
"""A key, a position from 0, all elements, or the first element that matches."""


class ColumnPath(NamedTuple):
    """A path into a column."""

    column: str
    """Name of the column."""
    steps: tuple[Step, ...]
    """Steps from the column's value to the value that is read."""


@functools.lru_cache
def parse_column_path(name: str) -> ColumnPath | None:
    """Parses a column name; returns None if it is not a path."""
    match = _PATH.fullmatch(name)
    if match is None:
        return None
    steps, end = [], match.start("steps")
    for step in _STEP.finditer(name, end):
        if step.start() != end:
            return None
        steps.append(_build_step(step))
        end = step.end()
    return ColumnPath(match["column"], tuple(steps)) if end == len(name) else None


def list_base_columns(names: Iterable[str]) -> set[str]:
    """Returns the names, and for each path the column that it starts from."""
    paths = (parse_column_path(name) for name in names)
    return {*names, *(path.column for path in paths if path is not None)}


def starts_in(name: str, columns: Collection[str]) -> bool:
    """Returns whether `name` is a path from one of the `columns`, and not one of them itself."""
    path = parse_column_path(name)
    return name not in columns and path is not None and path.column in columns


def select_columns(
    records: Sequence[Mapping[str, Any]], names: Iterable[str]
) -> dict[str, list[Any]]:
    """Returns the values of each name, one per record; None where a record has no such value."""
    return {name: _select_column(records, name) for name in names}


def has_value(record: Mapping[str, Any], name: str) -> bool:
    """Returns whether the record has a column `name` or a value at that path."""
    path = parse_column_path(name)
    if name in record or path is None:
        return name in record
    return read_value(record.get(path.column), path.steps) is not None


def read_value(value: Any, steps: Sequence[Step]) -> Any:
    """Returns the value at the end of `steps`; None if there is none.

    After `Every` it is a list of the values of all elements that have one, without nesting.
    """
    for n, step in enumerate(steps, 1):
        if isinstance(value, str):
            value = parse_literal(value)
        if isinstance(step, Every):
            return list(_read_elements(value, steps[n:])) if isinstance(value, list) else None
        value = _take_step(value, step)
    return value


def _select_column(records: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    path = parse_column_path(name)
    if path is None:
        return [record.get(name) for record in records]
    return [
        record[name] if name in record else read_value(record.get(path.column), path.steps)
        for record in records
    ]


def _build_step(step: re.Match[str]) -> Step:
    if step["key"] is not None:
        return step["key"]
    if step["position"] is not None:
        return int(step["position"])
    return Every() if step["name"] is None else Match(step["name"], step["value"])


def _read_elements(elements: list[Any], steps: Sequence[Step]) -> Iterator[Any]:
    for element in elements:
        value = read_value(element, steps)
        if isinstance(value, list):
            yield from value
        elif value is not None:
            yield value


def _take_step(value: Any, step: str | int | Match) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and step < len(value) else None
    if isinstance(step, Match):
        return _find_element(value, step) if isinstance(value, list) else None
    return value.get(step) if isinstance(value, dict) else None


def _find_element(elements: list[Any], match: Match) -> Any:
    for element in elements:
        if isinstance(element, dict) and str(element.get(match.key)) == match.value:
            return element
    return None
