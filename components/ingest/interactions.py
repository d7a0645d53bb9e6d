"""Events and users: raw files -> timelines by split, and histories."""

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
from apache_beam.pvalue import AsSingleton, TaggedOutput

from components.ingest import (
    counts,
    dead_letters,
    events,
    examples,
    fields,
    histories,
    shards,
    tables,
    timelines,
)
from components.ingest.clock import Clock, ClockOf, histogram
from components.ingest.latest import latest
from components.ingest.read_table import ReadTable, paths_and_shards
from components.ingest.table_spec import FILE, LINE, TableSpec
from components.ingest.tallies import WriteCounts
from schema import timeline
from schema.dataset import Dataset
from schema.sources import Data

_HISTOGRAMS = "histograms"
_TALLIES = "tallies"


def build(
    pipeline: beam.Pipeline,
    dataset: Dataset,
    data_dir: str,
    examples_uri: str,
    histories_uri: str,
    rejected_dir: str,
) -> None:
    """Adds the way of events and users to `pipeline`; `counts.load(examples_uri)` tells the rest.

    Of events that agree in user, item and time one is kept; of users that share an id the last line
    wins. Each shard holds whole users, so order of files, blocks and workers leaves no trace.
    """
    specs = _specs(dataset, data_dir)
    count = specs[0][0].shards
    examples.prepare(examples_uri, timeline.SPLITS)
    records: dict[str, beam.PCollection] = {}
    tallies: list[beam.PCollection] = []
    for spec, paths in specs:
        letters = dead_letters.prepare(rejected_dir, spec.name)
        read: Any = pipeline | ReadTable(spec, paths, letters)
        records[spec.name] = read["records"]
        tallies.append(read["tallies"])
    # Every shard, even one without a record, writes its files.
    records["seed"] = pipeline | "Shards" >> beam.Create([(n, b"") for n in range(count)])
    ordered = (
        records
        | "Gather" >> beam.CoGroupByKey()
        | "Order" >> beam.ParDo(_order).with_outputs(_HISTOGRAMS, _TALLIES, main="shards")
    )
    clock = ordered[_HISTOGRAMS] | "Clock" >> beam.CombineGlobally(ClockOf(dataset.split))
    written = ordered["shards"] | "Write" >> beam.FlatMap(
        _write, AsSingleton(clock), dataset, count, examples_uri, histories_uri
    )
    cuts = clock | "Cuts" >> beam.FlatMap(lambda found: found._asdict().items())
    names = tuple(spec.name for spec, _ in specs)
    everything = (*tallies, ordered[_TALLIES], written, cuts)
    _ = everything | "AllTallies" >> beam.Flatten() | WriteCounts(names, examples_uri)


def _specs(dataset: Dataset, data_dir: str) -> list[tuple[TableSpec, list[str]]]:
    """The event log, and the user table where there is one; both in the same shards."""
    source, users = dataset.data.interactions, dataset.data.users
    paths, count = paths_and_shards(data_dir, source)
    own = fields.of_interactions(dataset)
    specs = [(TableSpec("interactions", source, own, count), paths)]
    if users is not None:
        paths, _ = paths_and_shards(data_dir, users)
        own = fields.of_users(users, dataset.features.users)
        specs.append((TableSpec("users", users, own, count, origin=(FILE, LINE)), paths))
    return specs


def _order(
    element: tuple[int, dict[str, Iterable[bytes]]],
) -> Iterator[Any]:
    """(shard, its ordered events, its users; b"" for none), tallies, and a histogram of times."""
    shard, parts = element
    packed = {"interactions": b"", "users": b""}
    moments = np.zeros(0, np.int64)
    log = shards.unpack(parts["interactions"])
    if log is not None:
        kept = events.in_order(log)
        packed["interactions"] = shards.pack(kept)
        moments = kept[fields.TIMESTAMP].to_numpy()
        repeated = log.num_rows - kept.num_rows
        yield TaggedOutput(_TALLIES, (counts.key("interactions", "duplicates"), repeated))
    people = shards.unpack(parts.get("users", ()))
    if people is not None:
        kept = latest(people, timeline.USER_ID)
        packed["users"] = shards.pack(kept)
        repeated = people.num_rows - kept.num_rows
        yield TaggedOutput(_TALLIES, (counts.key("users", "accepted"), kept.num_rows))
        yield TaggedOutput(_TALLIES, (counts.key("users", "duplicates"), repeated))
    yield TaggedOutput(_HISTOGRAMS, histogram(moments))
    yield shard, packed["interactions"], packed["users"]


def _write(
    element: tuple[int, bytes, bytes],
    clock: Clock,
    dataset: Dataset,
    count: int,
    examples_uri: str,
    histories_uri: str,
) -> Iterator[tuple[str, int]]:
    shard, packed_log, packed_users = element
    log = shards.unpack([packed_log]) if packed_log else None
    people = shards.unpack([packed_users]) if packed_users else _nobody(dataset)
    for split in timeline.SPLITS:
        with examples.open_writer(examples_uri, split, shard, count) as writer:
            own = 0
            if log is not None:
                own = _write_split(writer, log, people, split, clock, dataset.data)
        yield split, own
        yield counts.key("interactions", "accepted"), own
    if log is not None:
        everyone = timelines.of_users(log)
        rows = timelines.batches(log, everyone, people)
        histories.write(histories_uri, shard, count, (_history(batch) for batch in rows))
        yield "users", len(everyone.start)


def _nobody(dataset: Dataset) -> pa.Table | None:
    """A shard's users where the table has none for it: their features are null, not missing."""
    users = dataset.data.users
    return None if users is None else tables.empty(fields.of_users(users, dataset.features.users))


def _write_split(
    writer: tf.io.TFRecordWriter,
    log: pa.Table,
    people: pa.Table | None,
    split: str,
    clock: Clock,
    data: Data,
) -> int:
    """Writes the shard's timelines of one split; returns how many events are the split's own."""
    windows = timelines.of_split(log, split, clock, data.window, data.carry)
    for batch in timelines.batches(log, windows, people):
        examples.write(writer, batch)
    return int((windows.stop - windows.own).sum())


def _history(batch: pa.Table) -> pa.Table:
    """What is kept of a timeline for looking up: no labels, no target."""
    kept = (timeline.USER_ID, timeline.ITEM_IDS, timeline.TIMESTAMPS)
    prefixes = (timeline.context(""), timeline.user(""))
    return batch.select(
        [name for name in batch.column_names if name in kept or name.startswith(prefixes)]
    )
