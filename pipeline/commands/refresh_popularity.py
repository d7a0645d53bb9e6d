"""Current popularity: from the events that a version was pushed with, and later ones."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.events.log import differs_from_previous
from schema import refresh_inputs, timeline
from trainer.data.popularity import SECONDS_PER_DAY, PopularityClock
from trainer.data.popularity_forecast import PopularityForecast

_NUMBER = "number"


class CurrentPopularity(NamedTuple):
    """Popularity at `now`: the end of the bulk of all events, and after every earlier event."""

    log_popularity: np.ndarray
    """[n] float32."""
    recent: pa.Table
    """The counted events, in the columns of `schema.refresh_inputs`."""
    now: int
    """Seconds since epoch, UTC."""
    added: int
    """Number of counted events that are new."""
    beyond: int = 0
    """Number of later events after `now`, far from all others: they are not counted."""


def count_popularity(
    earlier: pa.Table, later: pa.Table, item_ids: pa.Array, forecast: PopularityForecast
) -> CurrentPopularity:
    """Forecasts popularity from the events in the windows of `forecast`.

    An event in both tables counts once; an event that one table has twice (within a second) counts
    twice; an event of an item outside the catalogue does not count. Without events the popularity
    of every item is 0.

    Args:
        earlier: Events that the version was pushed with, in the columns of `schema.refresh_inputs`.
        later: New events, in the same columns.
        item_ids: Catalogue, [n] large_binary.
        forecast: Forecast of the version.
    """
    earlier, later = (
        _number_repetitions(_select_catalogue_items(events, item_ids))
        for events in (earlier, later)
    )
    all_events = _drop_duplicates(pa.concat_tables([earlier, later]))
    if not all_events.num_rows:
        return CurrentPopularity(np.zeros(len(item_ids), np.float32), all_events, 0, 0)
    clock = _make_clock(all_events, item_ids)
    earlier = _drop_duplicates(earlier)
    now = max(clock.bulk.end, 1 + (pc.max(earlier[refresh_inputs.TIMESTAMP]).as_py() or 0))
    since = now - int(forecast.days * SECONDS_PER_DAY)
    recent, before = (_select_between(events, since, now) for events in (all_events, earlier))
    added = recent.num_rows - before.num_rows
    beyond = all_events.num_rows - _select_between(all_events, 0, now).num_rows
    return CurrentPopularity(forecast.predict(clock, now)[1:], recent, now, added, beyond)


def _select_between(events: pa.Table, since: int, now: int) -> pa.Table:
    times = events[refresh_inputs.TIMESTAMP]
    return events.filter(pc.and_(pc.greater_equal(times, since), pc.less(times, now)))


def _select_catalogue_items(events: pa.Table, item_ids: pa.Array) -> pa.Table:
    is_known = pc.is_in(events[timeline.ITEM_ID].cast(item_ids.type), value_set=item_ids)
    return events.filter(is_known)


def _number_repetitions(events: pa.Table) -> pa.Table:
    """Sorts by time, item and user, and numbers equal events from 0 on."""
    order = [(name, "ascending") for name in reversed(refresh_inputs.RECENT_EVENTS_SCHEMA.names)]
    ordered = events.take(pc.sort_indices(events, sort_keys=order))
    begins = differs_from_previous(ordered, tuple(refresh_inputs.RECENT_EVENTS_SCHEMA.names))
    starts, rows = np.flatnonzero(begins), ordered.num_rows
    number = np.arange(rows) - np.repeat(starts, np.diff(starts, append=rows))
    return ordered.append_column(_NUMBER, pa.array(number))


def _drop_duplicates(numbered: pa.Table) -> pa.Table:
    """Distinct numbered events, in order of time, item and user."""
    names = refresh_inputs.RECENT_EVENTS_SCHEMA.names
    once = numbered.group_by([*names, _NUMBER]).aggregate([]).select(names)
    order = [(name, "ascending") for name in reversed(names)]
    return once.take(pc.sort_indices(once, sort_keys=order)).cast(
        refresh_inputs.RECENT_EVENTS_SCHEMA
    )


def _make_clock(events: pa.Table, item_ids: pa.Array) -> PopularityClock:
    """`events` are sorted by time."""
    item = pc.index_in(events[timeline.ITEM_ID].cast(item_ids.type), value_set=item_ids)
    user = events[timeline.USER_ID].combine_chunks().dictionary_encode().indices
    return PopularityClock(
        timestamps=events[refresh_inputs.TIMESTAMP].to_numpy(),
        item_index=item.to_numpy().astype(np.int32) + 1,
        user=user.to_numpy(),
        size=len(item_ids) + 1,
    )
