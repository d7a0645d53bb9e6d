"""Beam transform: records of a shard -> its sorted events without duplicates, and its users."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.pvalue import AsIter, TaggedOutput

from components.ingest.events import rules as event_rules
from components.ingest.events.assigned_splits import assign_splits, mark_table_splits
from components.ingest.events.event_tables import reject_events, tally_duplicates
from components.ingest.events.joined_tables import (
    join_tables,
    tally_matches,
    tally_repeated,
    unpack_tables,
)
from components.ingest.events.log import find_user_starts, keep_latest, sort_events
from components.ingest.events.splits import count_times
from components.ingest.fields.table_spec import ITEM_ID, ORIGIN, TIMESTAMP
from components.ingest.output import shards
from components.ingest.output.id_overlap import IdPart, pack_log_ids, pack_table_ids
from components.ingest.read.records import REPEATED_USER
from schema import timeline
from schema.dataset import Dataset

SHARDS = "shards"
HISTOGRAMS = "histograms"
TALLIES = "tallies"
IDS = "ids"


class Shard(NamedTuple):
    """Packed tables of one shard; b"" for an empty one."""

    number: int
    events: bytes
    users: bytes


class OrderShards(beam.PTransform):
    """(shard, {"interactions": packed tables, "users": packed tables}) -> SHARDS, HISTOGRAMS of
    times, TALLIES, and IDS (see `id_overlap`) of the items in the events and of users.

    `catalogue` holds packed tables of the catalogue's ids, None if no rule needs them; `letters`
    are the folders of the dead letters of the log's tables.
    """

    def __init__(
        self, dataset: Dataset, letters: Sequence[str], catalogue: beam.PCollection | None
    ) -> None:
        super().__init__()
        self._arguments = (dataset, letters)
        self._catalogue = catalogue

    def expand(self, gathered: beam.PCollection) -> Any:
        """Outputs one element per shard."""
        catalogue = () if self._catalogue is None else (AsIter(self._catalogue),)
        order = beam.ParDo(_order_shard, *self._arguments, *catalogue)
        return gathered | order.with_outputs(HISTOGRAMS, TALLIES, IDS, main=SHARDS)


def _order_shard(
    element: tuple[int, dict[str, Iterable[bytes]]],
    dataset: Dataset,
    letters: Sequence[str],
    catalogue: Iterable[bytes] = (),
) -> Iterator[Any]:
    shard, parts = element
    user_tables = len(dataset.data.user_tables)
    events, log_tallies = _sort_log(shard, parts["interactions"], dataset, letters)
    users, user_tallies = _join_users(parts, user_tables)
    for each in _collect_ids(events, users, user_tables > 0):
        yield TaggedOutput(IDS, each)
    log, late_tallies = _apply_rules(shard, events, dataset, letters, catalogue)
    for tally in (*log_tallies, *late_tallies, *user_tallies):
        yield TaggedOutput(TALLIES, tally)
    times = np.zeros(0, np.int64) if log is None else log[TIMESTAMP].to_numpy()
    yield TaggedOutput(HISTOGRAMS, count_times(times))
    yield Shard(shard, _pack_table(log), _pack_table(users))


def _sort_log(
    shard: int, parts: Iterable[bytes], dataset: Dataset, letters: Sequence[str]
) -> tuple[pa.Table | None, list[tuple[str, int]]]:
    log = shards.unpack(parts)
    if log is None:
        return None, []
    tallies: list[tuple[str, int]] = []
    if dataset.data.interactions.format == "sequences":
        log, repeated = event_rules.divide_sequences(log)
        tallies += reject_events({REPEATED_USER: repeated}, letters, shard, "repeated")
    events = sort_events(mark_table_splits(log, dataset))
    return events, [*tallies, *tally_duplicates(log, events)]


def _apply_rules(
    shard: int,
    events: pa.Table | None,
    dataset: Dataset,
    letters: Sequence[str],
    catalogue: Iterable[bytes],
) -> tuple[pa.Table | None, list[tuple[str, int]]]:
    """Applies the rules, and then assigns splits, where events have their own."""
    source, tallies = dataset.data.interactions, []
    if events is None:
        return None, []
    if event_rules.needs_origin(source):
        outcome = event_rules.apply_rules(events, source, _load_catalogue(catalogue))
        tallies = reject_events(outcome.refused, letters, shard)
        # With time_outliers a later step, which has the times of all shards, needs ORIGIN.
        dropped = () if source.time_outliers == "reject" else ORIGIN
        events = outcome.kept.drop(list(dropped))
    return assign_splits(events, dataset) if dataset.split.is_assigned else events, tallies


def _join_users(
    parts: dict[str, Iterable[bytes]], count: int
) -> tuple[pa.Table | None, list[tuple[str, int]]]:
    tables = unpack_tables("users", parts, count)
    if not tables:
        return None, []
    latest = [keep_latest(table, timeline.USER_ID) for table in tables]
    users, matches = join_tables(latest, timeline.USER_ID)
    return users, tally_matches("users", matches) + tally_repeated("users", matches)


def _collect_ids(
    events: pa.Table | None, users: pa.Table | None, has_users: bool
) -> Iterator[IdPart]:
    if events is not None:
        yield pack_log_ids("items", events[ITEM_ID].combine_chunks())
    if events is not None and has_users:
        user_ids = events[timeline.USER_ID].take(pa.array(find_user_starts(events)[:-1]))
        yield pack_log_ids("users", user_ids.combine_chunks())
    if users is not None:
        yield pack_table_ids("users", users[timeline.USER_ID].combine_chunks())


def _load_catalogue(catalogue: Iterable[bytes]) -> pa.Array:
    items = shards.unpack(catalogue)
    if items is None:
        return pa.array([], pa.large_string())
    return items[timeline.ITEM_ID].combine_chunks()


def _pack_table(table: pa.Table | None) -> bytes:
    return b"" if table is None or not table.num_rows else shards.pack(table)
