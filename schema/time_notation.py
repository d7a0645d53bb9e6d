"""How times are written: unit, pattern and time zone, as types that validate them."""

import datetime
import zoneinfo
from typing import Annotated, Literal

from pydantic import AfterValidator

TimeUnit = Literal["s", "ms", "us", "ns", "d", "iso8601"]
RFC2822 = "rfc2822"
_PROBE = datetime.datetime(2001, 11, 23, 16, 45, 50, tzinfo=datetime.timezone.utc)


def _require_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(
            f'expected a time zone of the IANA database, as in "Europe/Berlin", received {name!r}'
        ) from error
    return name


def _require_pattern(pattern: str) -> str:
    """Rejects a pattern that does not determine the day, or that Python cannot parse."""
    if pattern == RFC2822:
        return pattern
    try:
        parsed = datetime.datetime.strptime(_PROBE.strftime(pattern), pattern)
    except ValueError as error:
        raise ValueError(
            f'expected a pattern of strptime, as in "%d.%m.%Y %H:%M", or "{RFC2822}", received '
            f"{pattern!r}: {error}"
        ) from error
    if parsed.date() != _PROBE.date():
        raise ValueError(
            f'expected a pattern with year, month and day, as in "%d.%m.%Y %H:%M", received '
            f"{pattern!r}"
        )
    return pattern


TimeZone = Annotated[str, AfterValidator(_require_zone)]
TimePattern = Annotated[str, AfterValidator(_require_pattern)]
