"""Feature kinds for the columns of a table of items or users."""

import itertools
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from components.ingest.draft import names
from components.ingest.draft.column import (
    Column,
    detect_time,
    holds_booleans,
    holds_integers,
    holds_lists,
    holds_numbers,
)
from components.ingest.read.nested.literal_text import parse_literal

_SEPARATORS = ("|", ", ", ";", ",")
_FEW = 20
_MANY = 1000
_LONGEST_VALUE = 40
_DIGITS_OF_AN_ID = 8
_FLAGS = {"0", "1"}
_RESERVED = ("id", "ids", "index")


class Features(NamedTuple):
    """Features by name, each with its keys."""

    chosen: dict[str, dict[str, Any]]
    held_back: dict[str, dict[str, Any]]
    """Those that may count the events that a model must predict."""


def choose_features(columns: Mapping[str, Column], omitted: set[str]) -> Features:
    """Returns a feature for each column but those of `omitted` and those without a kind."""
    chosen: dict[str, dict[str, Any]] = {}
    held_back: dict[str, dict[str, Any]] = {}
    for name, column in columns.items():
        keys = None if name in omitted or "[0]" in name else choose_kind(column)
        if keys is None:
            continue
        own = _name_feature(name, {*chosen, *held_back})
        target = held_back if names.may_count_events(name) else chosen
        target[own] = keys if own == name else {"kind": keys["kind"], "column": name, **keys}
    return Features(chosen, held_back)


def choose_kind(column: Column) -> dict[str, Any] | None:
    """Returns the keys of a feature; None for ids, links, nested values and empty columns."""
    present = column.present
    if not present or _is_constant(column):
        return None
    if holds_lists(column):
        values = Column(column.name, list(itertools.chain.from_iterable(present)))
        is_many = len(values.distinct) > 10 * _MANY
        return None if is_many or _holds_links(values) else {"kind": "set"}
    if len(column.texts) < len(present):
        return None
    if holds_booleans(column):
        return {"kind": "category"}
    form = detect_time(column)
    if form is not None:
        return {"kind": "timestamp", **form.options}
    return _choose_for_numbers(column) if holds_numbers(column) else _choose_for_texts(column)


def _is_constant(column: Column) -> bool:
    return len(column.values) >= _FEW and not column.missing_share and len(column.distinct) == 1


def find_title(columns: Mapping[str, Column], omitted: set[str]) -> str | None:
    """Returns the column of the title: by its name, or else the first one of different texts."""
    texts = {
        name: column
        for name, column in columns.items()
        if name not in omitted and len(column.texts) == len(column.present) > 0
    }
    by_name = {names.normalize(name): name for name in reversed(texts)}
    named = next((by_name[title] for title in names.TITLES if title in by_name), None)
    if named is not None:
        return named
    return next((name for name, column in texts.items() if _looks_like_titles(column)), None)


def _looks_like_titles(column: Column) -> bool:
    is_text = not holds_numbers(column) and detect_time(column) is None
    different = len(column.distinct) > 0.5 * len(column.texts)
    words = sum(len(text.split()) for text in column.texts) / len(column.texts)
    return is_text and different and words > 1.2 and not _holds_links(column)


def _choose_for_numbers(column: Column) -> dict[str, Any] | None:
    n = len(column.distinct)
    is_code = re.search(r"(id|no|code|zip|number)$", names.normalize(column.name)) is not None
    if holds_integers(column) and (is_code or column.distinct <= _FLAGS):
        return {"kind": "category"} if n <= max(2, min(_MANY, len(column.texts) / 2)) else None
    is_serial = n == len(column.texts) and min(map(len, column.distinct)) >= _DIGITS_OF_AN_ID
    return None if is_serial and holds_integers(column) else {"kind": "number"}


def _choose_for_texts(column: Column) -> dict[str, Any] | None:
    texts, distinct = column.texts, column.distinct
    if _holds_links(column) or _holds_objects(column):
        return None
    if _holds_printed_lists(column):
        return {"kind": "set"}
    separator = next((each for each in _SEPARATORS if _is_separator(each, texts)), None)
    if separator is not None:
        return {"kind": "set"} if separator == "|" else {"kind": "set", "separator": separator}
    longest = max(map(len, distinct))
    few = len(distinct) <= min(_MANY, max(len(texts) / 5, min(_FEW, len(texts) / 2)))
    if few and longest <= _LONGEST_VALUE:
        return {"kind": "category"}
    has_words = sum(" " in text for text in texts) > len(texts) / 5
    return {"kind": "text"} if has_words else None


def _is_separator(separator: str, texts: list[str]) -> bool:
    """Whether it divides the texts into short values that recur."""
    parts = [part for text in texts for part in text.split(separator)]
    divided = sum(separator in text for text in texts)
    if separator == "|":
        return divided > 0
    recur = len(set(parts)) <= len(parts) / 2
    return divided > len(texts) / 5 and recur and max(map(len, parts)) <= _LONGEST_VALUE


def _holds_links(column: Column) -> bool:
    return (
        sum(text.startswith(("http://", "https://")) for text in column.texts)
        > len(column.texts) / 2
    )


def _holds_objects(column: Column) -> bool:
    """Whether texts are objects or lists of objects, as JSON or as Python prints them."""
    starts = [re.sub(r"\s", "", text[:20]) for text in column.texts]
    return sum(start.startswith(("{", "[{")) for start in starts) > len(starts) / 2


def _holds_printed_lists(column: Column) -> bool:
    lists = sum(isinstance(parse_literal(text), list) for text in column.texts[:_MANY])
    return lists > min(len(column.texts), _MANY) / 2


def _name_feature(column: str, used: set[str]) -> str:
    """The column's name as that of a feature, different from others."""
    plain = re.sub(r"\[\d*\]", "", column.partition(":")[0] or column)
    name = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    name = name if re.match(r"[a-z]", name) else f"column_{name}".rstrip("_")
    name = f"{name}_value" if name in _RESERVED else name[:60]
    return next(each for each in _number(name) if each not in used)


def _number(name: str) -> Any:
    yield name
    yield from (f"{name}_{n}" for n in itertools.count(2))
