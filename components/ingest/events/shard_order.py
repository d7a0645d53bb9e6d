"""Beam: the records of a shard -> its events in order, each once, and its users."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.pvalue import AsIter, TaggedOutput

from components.ingest import meetings
from components.ingest.events import log as events_log
from components.ingest.events import rules as event_rules
from components.ingest.events.splits import histogram
from components.ingest.fields.table_spec import ITEM_ID, TIMESTAMP
from components.ingest.latest import latest
from components.ingest.meetings import Ids
from components.ingest.output import counts, dead_letters, shards
from components.ingest.rejection import REPEATED_USER
from components.ingest.table_spec import ORIGIN
from schema import timeline
from schema.sources import InteractionsSource

SHARDS = "shards"
HISTOGRAMS = "histograms"
TALLIES = "tallies"
IDS = "ids"


class Shard(NamedTuple):
    """Packed tables; b"" for none."""

    number: int
    events: bytes
    users: bytes


class Order(beam.PTransform):
    """(shard, {"interactions": packed tables, "users": packed tables}) -> SHARDS, HISTOGRAMS of
    times, TALLIES, and IDS (see `meetings`) of the items in the events and of users.

    `catalogue` holds packed tables of the known item ids, None where they do not matter;
    `letters_dir` is where the dead letters of events go.
    """

    def __init__(
        self,
        source: InteractionsSource,
        letters_dir: str,
        catalogue: beam.PCollection | None,
    ) -> None:
        super().__init__()
        self._arguments = (source, letters_dir)
        self._catalogue = catalogue

    def expand(self, gathered: beam.PCollection) -> Any:
        """One element a shard."""
        known = () if self._catalogue is None else (AsIter(self._catalogue),)
        order = beam.ParDo(_order, *self._arguments, *known)
        return gathered | order.with_outputs(HISTOGRAMS, TALLIES, IDS, main=SHARDS)


def _order(
    element: tuple[int, dict[str, Iterable[bytes]]],
    source: InteractionsSource,
    letters_dir: str,
    catalogue: Iterable[bytes] = (),
) -> Iterator[Any]:
    shard, parts = element
    once, log_tallies = _in_order(shard, parts["interactions"], source, letters_dir)
    people, people_tallies = _users(parts.get("users", ()))
    for each in _ids(once, people, "users" in parts):
        yield TaggedOutput(IDS, each)
    log, late_tallies = _judged(shard, once, source, letters_dir, catalogue)
    for tally in (*log_tallies, *late_tallies, *people_tallies):
        yield TaggedOutput(TALLIES, tally)
    moments = np.zeros(0, np.int64) if log is None else log[TIMESTAMP].to_numpy()
    yield TaggedOutput(HISTOGRAMS, histogram(moments))
    yield Shard(shard, _packed(log), _packed(people))


def _in_order(
    shard: int, parts: Iterable[bytes], source: InteractionsSource, letters_dir: str
) -> tuple[pa.Table | None, list[tuple[str, int]]]:
    log = shards.unpack(parts)
    if log is None:
        return None, []
    tallies: list[tuple[str, int]] = []
    if source.format == "sequences":
        log, repeated = event_rules.divide_sequences(log)
        dead_letters.write_late(letters_dir, shard, {REPEATED_USER: repeated}, "repeated")
        tallies.append((counts.key("interactions", "rejected", REPEATED_USER), repeated.num_rows))
    once = events_log.in_order(log)
    duplicates = log.num_rows - once.num_rows
    return once, [*tallies, (counts.key("interactions", "duplicates"), duplicates)]


def _judged(
    shard: int,
    once: pa.Table | None,
    source: InteractionsSource,
    letters_dir: str,
    catalogue: Iterable[bytes],
) -> tuple[pa.Table | None, list[tuple[str, int]]]:
    if once is None or not event_rules.needs_origin(source):
        return once, []
    judged = event_rules.judge(once, source, _known(catalogue))
    dead_letters.write_late(letters_dir, shard, judged.refused)
    tallies = [
        (counts.key("interactions", "rejected", reason), table.num_rows)
        for reason, table in judged.refused.items()
    ]
    if source.stragglers == "reject":  # which ones is known where all shards' times are
        return judged.kept, tallies
    return judged.kept.drop(list(ORIGIN)), tallies


def _users(parts: Iterable[bytes]) -> tuple[pa.Table | None, list[tuple[str, int]]]:
    people = shards.unpack(parts)
    if people is None:
        return None, []
    kept, repeated = latest(people, timeline.USER_ID)
    return kept, [
        (counts.key("users", "accepted"), kept.num_rows),
        (counts.key("users", "duplicates"), repeated.num_rows),
    ]


def _ids(once: pa.Table | None, people: pa.Table | None, has_users: bool) -> Iterator[Ids]:
    if once is not None:
        yield meetings.of_log("items", once[ITEM_ID].combine_chunks())
    if once is not None and has_users:
        users = once[timeline.USER_ID].take(pa.array(events_log.starts_of_users(once)[:-1]))
        yield meetings.of_log("users", users.combine_chunks())
    if people is not None:
        yield meetings.of_table("users", people[timeline.USER_ID].combine_chunks())


def _known(catalogue: Iterable[bytes]) -> pa.Array:
    known = shards.unpack(catalogue)
    nothing = pa.array([], pa.large_string())
    return nothing if known is None else known[timeline.ITEM_ID].combine_chunks()


def _packed(table: pa.Table | None) -> bytes:
    return b"" if table is None or not table.num_rows else shards.pack(table)
