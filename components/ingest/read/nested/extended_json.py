"""MongoDB Extended JSON (v1 and v2): `{"$oid": …}`, `{"$date": …}`, `{"$numberLong": …}` as plain
values.

Source: https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/
"""

import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa

from components.ingest.read.records import Values

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_OFFSET = re.compile(r"([+-]\d{2})(\d{2})$")


def unwrap_objects(values: list[Any]) -> Values:
    """Replaces objects of Extended JSON by their values. Objects of another form stay.

    A column of dates becomes Arrow timestamps; dates among other values become ISO 8601 text.
    """
    if not any(map(_may_hold_objects, values)):
        return values
    return pack_times([_unwrap(value) for value in values])


def pack_times(values: list[Any]) -> Values:
    """Replaces the `datetime` values of a column as `unwrap_objects` does; without a zone they are
    UTC.
    """
    kinds = set(map(type, values))
    if datetime not in kinds:
        return values
    zoned = [_add_zone(value) if isinstance(value, datetime) else value for value in values]
    if kinds <= {datetime, type(None)}:
        return pa.array(zoned, pa.timestamp("us", "UTC"))
    return [value.isoformat() if isinstance(value, datetime) else value for value in zoned]


def _may_hold_objects(value: Any) -> bool:
    kind = type(value)
    return kind is dict or (kind is list and bool(value) and type(value[0]) is dict)


def _unwrap(value: Any) -> Any:
    if isinstance(value, list):
        return [_unwrap(element) for element in value]
    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((key, inner),) = value.items()
    read = _READERS.get(key)
    if read is None:
        return value
    try:
        return read(inner)
    except (TypeError, ValueError, ArithmeticError):  # it stays an object, which is rejected
        return value


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, received {value!r}")
    return value


def _read_float(value: Any) -> float | None:
    number = float(_read_text(value))
    return None if math.isnan(number) else number


def _read_date(value: Any) -> datetime:
    """Milliseconds since epoch, or ISO 8601 as `mongoexport` writes it."""
    value = _unwrap(value)
    if isinstance(value, int):
        return _EPOCH + timedelta(milliseconds=value)
    text = _OFFSET.sub(r"\1:\2", _read_text(value).replace("Z", "+00:00"))
    return _add_zone(datetime.fromisoformat(text)).astimezone(timezone.utc)


def _add_zone(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


_READERS: dict[str, Callable[[Any], Any]] = {
    "$oid": _read_text,
    "$uuid": _read_text,
    "$symbol": _read_text,
    "$date": _read_date,
    "$numberInt": lambda value: int(_read_text(value)),
    "$numberLong": lambda value: int(_read_text(value)),
    "$numberDouble": _read_float,
    "$numberDecimal": lambda value: Decimal(_read_text(value)),
}
