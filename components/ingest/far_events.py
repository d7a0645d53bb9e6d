"""Events far from all others in time, and events that are yet to come: counted and shown."""

import datetime

import numpy as np
import pyarrow as pa

from components.ingest.fields.table_spec import ITEM_ID, TIMESTAMP
from components.ingest.output import counts
from schema.bulk import Bulk
from schema.timeline import USER_ID

EARLY = "early_stragglers"
LATE = "late_stragglers"
FUTURE = "future_events"
NAMES = (EARLY, LATE, FUTURE)


def find(events: pa.Table, bulk: Bulk, now: int) -> dict[str, np.ndarray]:
    """By name, bool [events]: those before and beyond the `bulk`, and those after `now` (seconds
    since epoch, UTC), which may be the same.
    """
    times = events[TIMESTAMP].to_numpy()
    return {EARLY: times < bulk.begin, LATE: times >= bulk.end, FUTURE: times > now}


def shown(events: pa.Table) -> list[str]:
    """The first of any events, by time, user and item, as a message names them."""
    columns = (events[name].to_pylist() for name in (TIMESTAMP, USER_ID, ITEM_ID))
    first = sorted(zip(*columns, strict=True))[: counts.SHOWN]
    return [f"{_text(time)} user {user!r}, item {item!r}" for time, user, item in first]


def _text(time: int) -> str:
    moment = datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
