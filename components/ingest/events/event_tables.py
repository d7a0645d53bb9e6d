"""The log's tables among its sorted events: counts and dead letters of each table."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from components.ingest.events import rules as event_rules
from components.ingest.events.timelines import Windows
from components.ingest.fields.table_fields import build_interaction_fields
from components.ingest.fields.table_spec import ORIGIN, TABLE, TableSpec
from components.ingest.output import counts, dead_letters
from schema import timeline
from schema.dataset import Dataset
from schema.sources import name_table

LOG = "interactions"


def build_events_spec(dataset: Dataset, number: int, shards: int) -> TableSpec:
    """Builds the specification of the log's table `number`."""
    tables = dataset.data.event_tables
    origin = ORIGIN if event_rules.needs_origin(tables[0]) else ()
    return TableSpec(
        LOG,
        tables[number],
        build_interaction_fields(dataset, number),
        shards,
        (*origin, TABLE) if len(tables) > 1 else origin,
        withholds_raw=dataset.data.hash_user_ids is not None,
        number=number,
        required=None if dataset.labels.events is None else timeline.POSITIVE,
    )


def tally_events(events: pa.Table, what: str) -> list[tuple[str, int]]:
    """Returns the tallies of `events` as `what`, for example accepted."""
    return _name_tallies(_count_by_table(events), what)


def tally_duplicates(events: pa.Table, kept: pa.Table) -> list[tuple[str, int]]:
    """Returns the tallies of the `events` that are not in `kept`."""
    repeated = _count_by_table(events)
    repeated.subtract(_count_by_table(kept))
    return _name_tallies(repeated, "duplicates")


def tally_accepted(events: pa.Table, stored: Windows) -> list[tuple[str, int]]:
    """Returns the tallies of the events that `stored` owns, from `own` to `stop`."""
    if TABLE not in events.column_names:
        return _name_tallies({LOG: int((stored.stop - stored.own).sum())}, "accepted")
    edges = np.zeros(events.num_rows + 1, np.int64)
    np.add.at(edges, stored.own, 1)
    np.add.at(edges, stored.stop, -1)
    times_stored = np.cumsum(edges[:-1])
    by_number = np.bincount(events[TABLE].to_numpy(), times_stored).astype(np.int64)
    return _name_tallies(_name_tables(by_number), "accepted")


def reject_events(
    refused: Mapping[str, pa.Table], letters: Sequence[str], shard: int, step: str = "late"
) -> list[tuple[str, int]]:
    """Writes dead letters to the folder of each event's table, and returns their tallies.

    Args:
        refused: Rejected events by reason, as `dead_letters.write_late` expects them.
        letters: Folder or URL of the dead letters of each table.
        shard: Number of the shard.
        step: Name of the step that rejected the events.
    """
    tallies: list[tuple[str, int]] = []
    for number, folder in enumerate(letters):
        own = {reason: _select_table(events, number) for reason, events in refused.items()}
        dead_letters.write_late(folder, shard, own, step)
        table = name_table(LOG, number)
        for reason, events in own.items():
            tallies.append((counts.name_tally(table, "rejected", reason), events.num_rows))
    return tallies


def _select_table(events: pa.Table, number: int) -> pa.Table:
    if TABLE not in events.column_names:
        return events
    return events.filter(pa.array(events[TABLE].to_numpy() == number))


def _count_by_table(events: pa.Table) -> Counter[str]:
    if TABLE not in events.column_names:
        return Counter({LOG: events.num_rows})
    return _name_tables(np.bincount(events[TABLE].to_numpy()))


def _name_tables(by_number: np.ndarray) -> Counter[str]:
    return Counter({name_table(LOG, number): int(n) for number, n in enumerate(by_number)})


def _name_tallies(by_table: Mapping[str, int], what: str) -> list[tuple[str, int]]:
    return [(counts.name_tally(table, what), n) for table, n in by_table.items()]
