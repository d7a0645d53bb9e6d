"""What is popular now, by the events that a version was pushed with and those after them."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schema import refreshing, timeline
from trainer import popularity
from trainer.popularity import SECONDS_PER_DAY, PopularityClock


class Present(NamedTuple):
    """At the end of all events."""

    log_popularity: np.ndarray
    """[n] float32."""
    recent: pa.Table
    """The events that it was counted from, as `schema.refreshing` has them."""
    now: int
    """One second after the last event; seconds since epoch, UTC."""
    added: int
    """Events among them that were not known before."""


def counted(known: pa.Table, later: pa.Table, item_ids: pa.Array, days: float) -> Present:
    """Votes of the last `days` for the items [n] large_binary, from events of `schema.refreshing`.

    An event that both tables hold counts once, and one of an item outside the catalogue not at all.
    Without any event nothing is popular.
    """
    everything = _known_once(pa.concat_tables([known, later]), item_ids)
    if not everything.num_rows:
        return Present(np.zeros(len(item_ids), np.float32), everything, 0, 0)
    clock = _clock(everything, item_ids)
    now = clock.end
    votes = clock.votes(now, days)[1:]
    recent, before = (
        _since(events, now - int(days * SECONDS_PER_DAY))
        for events in (everything, _known_once(known, item_ids))
    )
    added = recent.num_rows - before.num_rows
    return Present(popularity.log_popularity(votes), recent, now, added)


def _since(events: pa.Table, moment: int) -> pa.Table:
    return events.filter(pc.greater_equal(events[refreshing.TIMESTAMP], moment))


def _known_once(events: pa.Table, item_ids: pa.Array) -> pa.Table:
    """In order of time, item and user."""
    is_known = pc.is_in(events[timeline.ITEM_ID].cast(item_ids.type), value_set=item_ids)
    names = refreshing.SCHEMA.names
    once = events.filter(is_known).group_by(names).aggregate([]).select(names)
    order = [(name, "ascending") for name in reversed(names)]
    return once.take(pc.sort_indices(once, sort_keys=order)).cast(refreshing.SCHEMA)


def _clock(events: pa.Table, item_ids: pa.Array) -> PopularityClock:
    """`events` are sorted by time."""
    item = pc.index_in(events[timeline.ITEM_ID].cast(item_ids.type), value_set=item_ids)
    user = events[timeline.USER_ID].combine_chunks().dictionary_encode().indices
    return PopularityClock(
        timestamps=events[refreshing.TIMESTAMP].to_numpy(),
        item_index=item.to_numpy().astype(np.int32) + 1,
        user=user.to_numpy(),
        size=len(item_ids) + 1,
    )
