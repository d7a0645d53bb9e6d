"""What a time that was refused looks like, and what would make it one."""

import re
from typing import Any

from components.ingest.fields.timestamps import EARLIEST, LATEST

ACCEPTED = {
    "s": "seconds since 1970, UTC, from 1990 to 2099",
    "ms": "milliseconds since 1970, UTC, from 1990 to 2099",
    "us": "microseconds since 1970, UTC, from 1990 to 2099",
    "iso8601": "ISO 8601 with a zone, as in 2024-01-31T18:30:00Z, from 1990 to 2099",
}
_PER_SECOND = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
_UNITS = {"seconds": "s", "milliseconds": "ms", "microseconds": "us"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DIGITS_OF_A_DAY = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(\d{6})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CLOCK = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?")
_ZONED = re.compile(_CLOCK.pattern + r" ?(Z|[+-]\d{2}(:?\d{2})?)")
_NAME = re.compile(r"[a-z_ ]*(time|date|stamp|created|when)[a-z_ ]*|ts|at", re.IGNORECASE)
_WORDED = re.compile(r".*\d.*[/: ].*")


def hint(value: Any, unit: str) -> str:
    """One sentence about `value`, which holds no part of it; empty where nothing is known of it.

    `unit` is the `timestamp_unit` under which it was refused.
    """
    text = "" if value is None else str(value).strip()
    if _DIGITS_OF_A_DAY.fullmatch(text):
        return 'looks like the digits of a date: write ISO 8601, with timestamp_unit = "iso8601"'
    if _NUMBER.fullmatch(text):
        return _of_number(float(text), unit)
    if _ZONED.fullmatch(text):
        return _of_zoned(text, unit)
    if _CLOCK.fullmatch(text):
        return _with_unit("a zone is missing: end it with Z where it is UTC", unit)
    if _DAY.fullmatch(text):
        return _with_unit("a time of day and a zone are missing: add T00:00:00Z", unit)
    if _NAME.fullmatch(text):
        return "is this line a header?"
    if _WORDED.fullmatch(text):
        return _with_unit("looks like a written date: write it as ISO 8601 with a zone", unit)
    return ""


def _of_number(number: float, unit: str) -> str:
    for name, per_second in _PER_SECOND.items():
        if _UNITS.get(name) != unit and EARLIEST <= number / per_second < LATEST:
            if name in _UNITS:
                return f'looks like {name}: timestamp_unit = "{_UNITS[name]}"'
            return f'looks like {name}: divide by 1000, with timestamp_unit = "us"'
    return ""


def _of_zoned(text: str, unit: str) -> str:
    if unit != "iso8601":
        return 'looks like ISO 8601: timestamp_unit = "iso8601"'
    if "," in text:
        return "write the fraction of a second behind a point"
    if not re.search(r":\d{2}:\d{2}", text[:19]):
        return "seconds are missing: write them, :00 where they are not known"
    return "is there such a day and time?"


def _with_unit(words: str, unit: str) -> str:
    return words if unit == "iso8601" else f'{words}, with timestamp_unit = "iso8601"'
