"""The events that popularity is counted from, by id, so that a refresh can add later ones."""

import numpy as np
import pyarrow as pa

from schema import refresh_inputs
from trainer.data.popularity import SECONDS_PER_DAY
from trainer.data.timelines import Timelines


def build_recent_events(
    splits: list[Timelines], item_ids: np.ndarray, now: int, days: float
) -> pa.Table:
    """The splits' own positive events in the `days` before `now`, of RECENT_EVENTS_SCHEMA.

    `item_ids` [n + 1] are bytes objects by index. An event at `now` itself is left out, and so is
    one of an item outside the catalogue: as in `PopularityClock.votes`.
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
