"""How to fix a time that is rejected: which key of the configuration would accept it."""

import re
from typing import Any

from components.ingest.fields.timestamps import EARLIEST, LATEST, TimeNotation

ACCEPTED_TIMES = {
    "s": "seconds since 1970, UTC, from 1990 to 2099",
    "ms": "milliseconds since 1970, UTC, from 1990 to 2099",
    "us": "microseconds since 1970, UTC, from 1990 to 2099",
    "ns": "nanoseconds since 1970, UTC, from 1990 to 2099",
    "d": "days since 1970, UTC, from 1990 to 2099",
    "iso8601": "ISO 8601, as in 2024-01-31T18:30:00Z, from 1990 to 2099",
}
_UNITS = {
    "seconds": ("s", 1.0),
    "milliseconds": ("ms", 1e3),
    "microseconds": ("us", 1e6),
    "nanoseconds": ("ns", 1e9),
    "days": ("d", 1 / 86_400),
}
_NUMBER_TEXT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DIGITS_OF_A_DAY = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(\d{6})?")
_ISO8601 = re.compile(
    r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?\s*(Z|z|UTC|GMT|[+-]\d{2}(:?\d{2})?)?"
)
_RFC2822 = re.compile(r"([A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}(:\d{2})?.*")
_TWITTER = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d{2} \d{2}:\d{2}:\d{2} [+-]\d{4} \d{4}")
_NAME = re.compile(r"[a-z_ ]*(time|date|stamp|created|when)[a-z_ ]*|ts|at", re.IGNORECASE)
_WORDED = re.compile(r".*\d.*[/: ].*")


def describe_notation(notation: TimeNotation) -> str:
    """What a column of times holds, for messages."""
    if notation.pattern is not None:
        return f"a time written as {notation.pattern!r}, from 1990 to 2099"
    return ACCEPTED_TIMES[notation.unit]


def suggest_time_fix(value: Any, notation: TimeNotation, prefix: str = "timestamp_") -> str:
    """Returns a clause on how to fix `value`, without any part of it; "" if there is no suggestion.

    Args:
        value: The rejected value.
        notation: The notation with which it was rejected.
        prefix: Beginning of the keys: `timestamp_unit` of events, `unit` of features.
    """
    hint = _suggest_notation(value, notation)
    return hint and (hint if prefix == "timestamp_" else hint.replace("timestamp_", prefix))


def _suggest_notation(value: Any, notation: TimeNotation) -> str:
    text = "" if value is None else str(value).strip()
    if notation.pattern is None and _TWITTER.fullmatch(text):
        return 'looks like the form of Twitter: timestamp_format = "%a %b %d %H:%M:%S %z %Y"'
    if notation.pattern is None and _RFC2822.fullmatch(text):
        return 'looks like RFC 2822: timestamp_format = "rfc2822"'
    if _DIGITS_OF_A_DAY.fullmatch(text):
        return _DIGITS_HINT
    if _NUMBER_TEXT.fullmatch(text):
        return _suggest_for_number(text, notation)
    if _ISO8601.fullmatch(text):
        iso = notation.unit == "iso8601" and notation.pattern is None
        return "do this date and time exist?" if iso else _ISO_HINT
    if _NAME.fullmatch(text):
        return "is this line a header?"
    if _WORDED.fullmatch(text):
        return 'give its pattern, as in timestamp_format = "%d/%m/%Y %H:%M"'
    return ""


_DIGITS_HINT = (
    'looks like the digits of a date: timestamp_unit = "iso8601" reads 20240131, '
    'timestamp_format = "%Y%m%d%H%M%S" reads 20240131183000'
)
_ORIGIN_HINT = (
    "do times count from another moment than 1970, such as the first event? "
    'Then set timestamp_origin = "2020-01-01T00:00:00Z"'
)
_ISO_HINT = 'looks like ISO 8601: timestamp_unit = "iso8601"'


def _suggest_for_number(text: str, notation: TimeNotation) -> str:
    number = float(text)
    used = None if notation.pattern is not None else notation.unit
    for name, (unit, per_second) in _UNITS.items():
        if EARLIEST <= number / per_second < LATEST:
            if unit != used:
                return f'looks like {name}: timestamp_unit = "{unit}"'
            return (
                "digits were lost in scientific notation: write the number in full"
                if "e" in text.lower()
                else ""
            )
    return _ORIGIN_HINT if number >= 0 and not notation.origin else ""
