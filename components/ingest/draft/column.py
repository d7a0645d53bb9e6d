"""What the values of a column are: numbers, times, texts, lists."""

import datetime
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from components.ingest.fields.timestamps import TimeNotation, convert_timestamps
from schema.sources.text_options import NULL_TEXT, NULL_WORDS

_NULLS = {"", NULL_TEXT, *NULL_WORDS}
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_INTEGER = re.compile(r"\s*[+-]?\d+\s*")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?(\d{1,3}(\.\d{3})+|\d+),\d{1,2}\s*")
_SENTINELS = ("-", "--", "?", ".", "#N/A", "(not set)", "(null)", "(none)", "none", "missing")
_DAY = re.compile(r"(19|20)\d{6}")
_BOOLEANS = {"true", "false"}
_MOST = 0.95
_TEXT_FORMATS = (
    "%a %b %d %H:%M:%S %z %Y",
    "rfc2822",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%d/%m/%Y %I:%M %p",
    "%d-%m-%Y %H:%M",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
)
_AMBIGUOUS = ("%m/%d/%Y", "%d/%m/%Y")
_UNITS = ("s", "ms", "us", "ns")


class TimeForm(NamedTuple):
    """How a column writes times: one of the two is set."""

    unit: str
    format: str | None = None
    is_ambiguous: bool = False
    """Whether day and month could be exchanged."""
    is_local: bool = False
    """Whether times state no zone."""

    @property
    def options(self) -> dict[str, str]:
        """Keys without their prefix: `unit`, `format`; those that differ from the default."""
        if self.format is not None:
            return {"format": self.format}
        return {} if self.unit == "s" else {"unit": self.unit}


class Column(NamedTuple):
    """A column, and the values of the first records."""

    name: str
    values: Sequence[Any]

    @property
    def present(self) -> list[Any]:
        """The values that are not missing."""
        return [value for value in self.values if not is_missing(value)]

    @property
    def missing_share(self) -> float:
        """Share of missing values."""
        return 1 - len(self.present) / len(self.values) if self.values else 1.0

    @property
    def texts(self) -> list[str]:
        """The values that are not missing, as text; lists and objects are omitted."""
        return [format_value(value) for value in self.present if not _is_nested(value)]

    @property
    def distinct(self) -> set[str]:
        """The different texts."""
        return set(self.texts)


def is_missing(value: Any) -> bool:
    """Whether a value counts as missing in most data: null, empty, or a word for it."""
    return value is None or value in ([], {}) or (isinstance(value, str) and value in _NULLS)


def format_value(value: Any) -> str:
    """A value as ingestion reads it as text: booleans in lower case, whole floats as integers."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def holds_lists(column: Column) -> bool:
    """Whether the values are lists of texts or numbers."""
    present = column.present
    return bool(present) and all(
        isinstance(value, list) and not any(map(_is_nested, value)) for value in present
    )


def holds_numbers(column: Column) -> bool:
    """Whether almost all values are numbers, also as text; booleans are not."""
    return _share(column, lambda text: bool(_NUMBER.fullmatch(text))) >= _MOST


def holds_integers(column: Column) -> bool:
    """Whether almost all values are whole numbers."""
    return _share(column, lambda text: bool(_INTEGER.fullmatch(text))) >= _MOST


def holds_booleans(column: Column) -> bool:
    """Whether all values are true or false, in upper or lower case."""
    return bool(column.texts) and {text.lower() for text in column.distinct} <= _BOOLEANS


def holds_decimal_commas(column: Column) -> bool:
    """Whether values such as `1.234,50` make the column one of numbers."""
    has_comma = any("," in text for text in column.texts)
    share = _share(column, lambda t: bool(_NUMBER.fullmatch(t) or _DECIMAL_COMMA.fullmatch(t)))
    return has_comma and share >= _MOST


def find_sentinels(column: Column) -> list[str]:
    """Texts that stand for a missing value in a column whose other values are numbers."""
    found = sorted(column.distinct.intersection(_SENTINELS))
    rest = [text for text in column.texts if text not in found]
    return found if found and rest and holds_numbers(Column(column.name, rest)) else []


def detect_time(column: Column) -> TimeForm | None:
    """Returns how the column writes times between 1990 and 2100; None if it does not hold times."""
    present = column.present[:2000]
    if not present or any(_is_nested(value) or isinstance(value, bool) for value in present):
        return None
    if all(isinstance(value, datetime.date) for value in present):  # Parquet's own types
        return TimeForm("s")
    if holds_numbers(column):
        forms = [TimeForm(unit) for unit in _UNITS]
        if all(isinstance(value, str) and _DAY.fullmatch(value) for value in present):
            forms = [TimeForm("s", "%Y%m%d")]
        return next((fitting for form in forms if (fitting := _fit(present, form))), None)
    iso = _fit(present, TimeForm("iso8601"))
    if iso is not None:
        return iso
    texts = [value for value in present if isinstance(value, str)]
    forms = [form for text in _TEXT_FORMATS if (form := _fit(texts, TimeForm("s", text)))]
    if not forms:
        return None
    formats = [form.format or "" for form in forms]
    ambiguous = all(any(f.startswith(start) for f in formats) for start in _AMBIGUOUS)
    return forms[0]._replace(is_ambiguous=ambiguous)


def _fit(values: list[Any], form: TimeForm) -> TimeForm | None:
    if not values:
        return None
    converted = convert_timestamps(values, TimeNotation(form.unit, form.format))  # type: ignore[arg-type]
    bad = sum(int(mask.sum()) for _, mask in converted.faults)
    fits = 1 - bad / len(values) >= _MOST
    return form._replace(is_local=converted.local > 0) if fits else None


def _share(column: Column, test: Any) -> float:
    texts = column.texts
    return sum(map(test, texts)) / len(texts) if texts else 0.0


def _is_nested(value: Any) -> bool:
    return isinstance(value, (list, dict))
