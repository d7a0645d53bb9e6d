"""The events that popularity is counted from, with ids, so that a refresh can add later events."""

import numpy as np
import pyarrow as pa

from schema import refresh_inputs
from trainer.data.popularity import SECONDS_PER_DAY
from trainer.data.timelines import Timelines


def build_recent_events(
    splits: list[Timelines], item_ids: np.ndarray, now: int, days: float
) -> pa.Table:
    """The splits' own positive events in the `days` before `now`.

    As in `PopularityClock.votes`, an event at `now` itself is excluded, and so are events on items
    outside the catalogue.

    Args:
        splits: the timelines to read; only events that belong to the split itself count.
        item_ids: [n + 1] bytes objects by item index.
        now: end of the window, exclusive; seconds since epoch, UTC.
        days: length of the window.

    Returns:
        A table of RECENT_EVENTS_SCHEMA.
    """
    since = now - int(days * SECONDS_PER_DAY)
    users, items, times = [], [], []
    for events in splits:
        chosen = events.own & events.positive & (events.item_index > 0)
        chosen &= (events.timestamps >= since) & (events.timestamps < now)
        users.append(events.user_ids[events.rows[chosen]])
        items.append(item_ids[events.item_index[chosen]])
        times.append(events.timestamps[chosen])
    columns = [
        _build_strings(users),
        _build_strings(items),
        pa.array(np.concatenate(times), pa.int64()),
    ]
    return pa.Table.from_arrays(columns, schema=refresh_inputs.RECENT_EVENTS_SCHEMA)


def _build_strings(parts: list[np.ndarray]) -> pa.Array:
    return pa.array(np.concatenate(parts), pa.large_binary()).cast(pa.large_string())
