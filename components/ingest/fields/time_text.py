"""Times as text -> moments: ISO 8601 in its usual forms, RFC 2822, and patterns of strptime."""

import datetime
import email.utils
import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.coercion import coerce_texts
from components.ingest.fields.split_time import ParsedTimes, SplitTime
from components.ingest.read.records import Values
from schema.time_notation import RFC2822

_PLAIN_ISO8601 = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?"
    r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
)
_LOOSE_ISO8601 = (
    r"^\s*(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]\s*(?P<clock>[0-9]{2}:[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<digits>[0-9]+))?)?)?"
    r"\s*(?P<zone>Z|z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?\s*$"
)
_COMPACT = re.compile(
    r"(?P<day>\d{8}|\d{4}-?W\d{2}-?\d)"
    r"(?:[Tt ](?P<clock>\d{2}:?\d{2}(?::?\d{2})?)(?:[.,](?P<digits>\d+))?)?"
    r"\s*(?P<zone>Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
)
_FRACTION = r"[.](?P<digits>[0-9]+)"
_SECONDS = pa.timestamp("s", "UTC")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def _to_scalar(text: str | None) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


_EMPTY = _to_scalar("")


def _join(*parts: pa.Array | str) -> pa.Array:
    """Concatenation of the parts of each row; null if one is."""
    columns = [_to_scalar(part) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*columns, _EMPTY)


def parse_iso8601(values: Values) -> ParsedTimes:
    """Reads ISO 8601, with a blank for the T, lower-case letters, ` UTC` and decimal commas."""
    text, wrong = coerce_texts(values)
    plain = pc.fill_null(pc.match_substring_regex(text, pattern=_PLAIN_ISO8601), False)
    local = np.zeros(len(text), bool)
    if not pc.all(plain, min_count=0).as_py():
        loose = pc.if_else(plain, _to_scalar(None), text)
        rewritten, local = _rewrite_loose_times(loose)
        text = pc.if_else(plain, text, rewritten)
    whole = pc.replace_substring_regex(text, pattern=_FRACTION, replacement="")
    try:
        seconds = pc.cast(pc.cast(whole, _SECONDS), pa.int64())
    except pa.ArrowInvalid:  # one impossible day, such as February 30th, fails the whole array
        seconds = pa.array([_parse_seconds(one) for one in whole.to_pylist()], pa.int64())
    absent = ~pc.is_valid(seconds).to_numpy(zero_copy_only=False)
    whole_seconds = pc.fill_null(seconds, 0).to_numpy(zero_copy_only=False)
    times = SplitTime(whole_seconds, np.where(absent, 0, _parse_fractions(text)))
    return ParsedTimes(times, absent, wrong, local & ~absent)


def _rewrite_loose_times(text: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Texts in the plain form, null where that is not possible; and which have no zone [n]."""
    parts = pc.extract_regex(text, pattern=_LOOSE_ISO8601)
    day, clock, second, digits, zone = (pc.struct_field(parts, [n]) for n in range(5))
    local = pc.fill_null(pc.equal(zone, ""), False).to_numpy(zero_copy_only=False).copy()
    fraction = pc.if_else(pc.equal(digits, ""), _EMPTY, _join(".", digits))
    rewritten = _join(
        day,
        "T",
        pc.if_else(pc.equal(clock, ""), _to_scalar("00:00"), clock),
        ":",
        pc.if_else(pc.equal(second, ""), _to_scalar("00"), second),
        fraction,
        pc.if_else(pc.match_substring_regex(zone, pattern="^[+-]"), zone, _to_scalar("Z")),
    )
    left = pc.and_(pc.is_null(rewritten), pc.is_valid(text)).to_numpy(zero_copy_only=False)
    if not left.any():
        return rewritten, local
    compact = [_rewrite_compact_time(one) for one in text.filter(pa.array(left)).to_pylist()]
    local[left] = [is_local for _, is_local in compact]
    filled = pa.array([one for one, _ in compact], pa.large_string())
    return pc.replace_with_mask(rewritten, pa.array(left), filled), local


def _rewrite_compact_time(text: str) -> tuple[str | None, bool]:
    """`20240131T183000Z` and `2024-W05-3` in the plain form; and whether the zone is missing."""
    match = _COMPACT.fullmatch(text.strip())
    if match is None:
        return None, False
    try:
        day = _parse_compact_day(match["day"].replace("-", ""))
    except ValueError:
        return None, False
    clock = (match["clock"] or "").replace(":", "").ljust(6, "0")
    fraction = f".{match['digits']}" if match["digits"] else ""
    zone = match["zone"] or ""
    offset = zone if zone.startswith(("+", "-")) else "Z"
    return f"{day}T{clock[:2]}:{clock[2:4]}:{clock[4:]}{fraction}{offset}", not zone


def _parse_compact_day(digits: str) -> datetime.date:
    if "W" in digits:
        year, week = digits.split("W")
        return datetime.date.fromisocalendar(int(year), int(week[:2]), int(week[2:]))
    return datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def _parse_fractions(text: pa.Array) -> np.ndarray:
    """Nanoseconds of the first nine decimal places; 0 without a fraction."""
    fractions = pc.extract_regex(text, pattern=_FRACTION)
    digits = pc.utf8_slice_codeunits(pc.struct_field(fractions, [0]), 0, 9)
    nine = pc.utf8_rpad(digits, 9, "0")
    return pc.fill_null(pc.cast(nine, pa.int64()), 0).to_numpy(zero_copy_only=False)


def _parse_seconds(text: str | None) -> int | None:
    try:
        return pc.cast(pc.cast(pa.scalar(text, pa.string()), _SECONDS), pa.int64()).as_py()
    except pa.ArrowInvalid:
        return None


def parse_pattern(values: Values, pattern: str) -> ParsedTimes:
    """Reads times in RFC 2822 or a pattern of strptime; each distinct text once."""
    text, wrong = coerce_texts(values)
    encoded = text.dictionary_encode()
    parse = _choose_parser(pattern)
    moments = [_parse_moment(one, parse) for one in encoded.dictionary.to_pylist()]
    index = pc.fill_null(encoded.indices, len(moments)).to_numpy(zero_copy_only=False)
    moments.append(None)
    aware = [None if one is None else _split_moment(one) for one in moments]
    table = np.array([one or (0, 0, False) for one in aware], np.int64)[index]
    bad = np.array([one is None for one in aware])[index]
    times = SplitTime(table[:, 0], table[:, 1])
    return ParsedTimes(times, bad, wrong, (table[:, 2] == 1) & ~bad)


def _choose_parser(pattern: str) -> Callable[[str], datetime.datetime]:
    if pattern == RFC2822:
        return email.utils.parsedate_to_datetime
    return lambda text: datetime.datetime.strptime(text, pattern)


def _parse_moment(text: str, parse: Callable[[str], datetime.datetime]) -> datetime.datetime | None:
    try:
        return parse(text.strip())
    except (ValueError, TypeError, IndexError):  # the last two: how Python 3.10 reports RFC 2822
        return None


def _split_moment(moment: datetime.datetime) -> tuple[int, int, bool]:
    """Seconds, nanoseconds, and whether the moment has no zone."""
    local = moment.tzinfo is None
    since = (moment.replace(tzinfo=datetime.timezone.utc) if local else moment) - _EPOCH
    return since.days * 86_400 + since.seconds, since.microseconds * 1000, local
