"""Events and users: raw files -> timelines by split, and histories."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import AsSingleton, TaggedOutput

from components.ingest import items
from components.ingest.events import rules as event_rules
from components.ingest.events import timelines
from components.ingest.events.earlier_histories import insert_histories
from components.ingest.events.event_tables import (
    LOG,
    build_events_spec,
    reject_events,
    tally_accepted,
)
from components.ingest.events.log import sort_events
from components.ingest.events.shard_order import (
    HISTOGRAMS,
    IDS,
    SHARDS,
    TALLIES,
    OrderShards,
    Shard,
)
from components.ingest.events.splits import CombineTimes, LogTimes, find_edges
from components.ingest.fields.parser import build_empty_table
from components.ingest.fields.table_fields import build_interaction_fields, build_user_fields
from components.ingest.fields.table_spec import FILE, LINE, ORIGIN, SPLIT, TABLE, TableSpec
from components.ingest.output import dead_letters, examples, histories, shards
from components.ingest.output.counts import WriteCounts
from components.ingest.output.id_overlap import IdPart, MeasureOverlap, pack_table_ids
from components.ingest.read.records import STRAGGLER
from components.ingest.read_table import ReadTable, plan_shards
from schema import timeline
from schema.dataset import Dataset

_SAMPLES = "samples"


class EventOutputs(NamedTuple):
    """Output locations of the event pipeline."""

    examples: str
    """URI of the Examples."""
    histories: str
    """URI of the histories."""
    letters: tuple[str, ...]
    """Folder or URL of the dead letters of each of the log's tables."""


def build(
    pipeline: beam.Pipeline,
    dataset: Dataset,
    data_dir: str,
    examples_uri: str,
    histories_uri: str,
    rejected_dir: str,
) -> None:
    """Adds the steps for events and users to `pipeline`; read the result with
    `counts.load(examples_uri)`.

    Of several events with the same user, item and time, and of several users with the same id, the
    last line is used. Each shard holds complete users, so the result does not depend on the order
    of blocks and workers.

    Args:
        pipeline: Beam pipeline.
        dataset: Description of the tables.
        data_dir: Folder or URL that relative paths of tables start from.
        examples_uri: URI of the Examples to write.
        histories_uri: URI of the histories to write.
        rejected_dir: Folder or URL of the dead letters, one folder per table.
    """
    specs = _build_specs(dataset, data_dir)
    count = specs[0][0].shards
    examples.prepare(examples_uri, timeline.SPLITS)
    records: dict[str, beam.PCollection] = {}
    tallies: list[beam.PCollection] = []
    letters = {spec.name: dead_letters.prepare(rejected_dir, spec.name) for spec, _ in specs}
    log_parts: list[beam.PCollection] = []
    for spec, paths in specs:
        read: Any = pipeline | ReadTable(spec, paths, letters[spec.name])
        if spec.kind == LOG:
            log_parts.append(read["records"])
        else:
            records[spec.name] = read["records"]
        tallies.append(read["tallies"])
    records[LOG] = log_parts | "Log" >> beam.Flatten()
    event_letters = tuple(letters[spec.name] for spec, _ in specs if spec.kind == LOG)
    # Every shard writes its files, even without a record.
    records["seed"] = pipeline | "Shards" >> beam.Create([(n, b"") for n in range(count)])
    source = dataset.data.interactions
    strict = event_rules.needs_catalogue(source)
    item_ids = items.read_item_ids(pipeline, dataset, data_dir, ids_only=not strict)
    order = OrderShards(dataset, event_letters, item_ids if strict else None)
    ordered: Any = records | "Gather" >> beam.CoGroupByKey() | "Order" >> order
    combine = CombineTimes(dataset.split, within_bulk=source.time_outliers == "reject")
    times = ordered[HISTOGRAMS] | "Times" >> beam.CombineGlobally(combine)
    outputs = EventOutputs(examples_uri, histories_uri, event_letters)
    now = int(time.time())
    write = beam.ParDo(_write_outputs, AsSingleton(times), dataset, count, outputs, now)
    written_all: Any = ordered[SHARDS] | "Write" >> write.with_outputs(_SAMPLES, main=TALLIES)
    written = written_all[TALLIES]
    cuts = times | "Cuts" >> beam.FlatMap(_list_time_totals)
    all_tallies = (*tallies, ordered[TALLIES], written, cuts)
    names = tuple(spec.name for spec, _ in specs)
    overlaps = _collect_ids(ordered[IDS], item_ids) | "Overlap" >> MeasureOverlap(count)
    extra = (written_all[_SAMPLES], overlaps)
    _ = all_tallies | "AllTallies" >> beam.Flatten() | WriteCounts(names, examples_uri, *extra)


def _collect_ids(ordered: beam.PCollection, item_ids: beam.PCollection | None) -> beam.PCollection:
    """All parts whose overlap is measured; without a catalogue, only those of users."""
    if item_ids is None:
        return ordered | "UsersOnly" >> beam.Filter(lambda ids: ids.table == "users")
    catalogue = item_ids | "CatalogueIds" >> beam.Map(_pack_catalogue_ids)
    return (ordered, catalogue) | "AllIds" >> beam.Flatten()


def _pack_catalogue_ids(packed: bytes) -> IdPart:
    table = shards.unpack([packed])
    assert table is not None, "expected a packed table"
    return pack_table_ids("items", table[timeline.ITEM_ID].combine_chunks())


def _build_specs(dataset: Dataset, data_dir: str) -> list[tuple[TableSpec, list[str]]]:
    """The tables of the log and of users, with the same number of shards."""
    data, withholds_raw = dataset.data, dataset.data.hash_user_ids is not None
    planned = [plan_shards(data_dir, table) for table in data.event_tables]
    count = sum(own for _, own in planned)
    specs = [
        (build_events_spec(dataset, number, count), paths)
        for number, (paths, _) in enumerate(planned)
    ]
    for number, table in enumerate(data.user_tables):
        paths, _ = plan_shards(data_dir, table)
        own = build_user_fields(dataset, number)
        spec = TableSpec("users", table, own, count, (FILE, LINE), withholds_raw, number)
        specs.append((spec, paths))
    return specs


def _list_time_totals(times: LogTimes) -> list[tuple[str, int]]:
    """The nonzero cuts and bounds of the bulk, as totals of the run."""
    cuts = {} if times.clock is None else times.clock._asdict()
    cuts |= {"t_begin": times.bulk.begin, "t_end": times.bulk.end}
    return [(name, at) for name, at in cuts.items() if at]


def _write_outputs(
    shard: Shard, times: LogTimes, dataset: Dataset, count: int, outputs: EventOutputs, now: int
) -> Iterator[Any]:
    log = _load_events(shard, dataset)
    outliers = event_rules.find_time_outliers(log, times.bulk, now)
    for name, mask in outliers.items():
        if mask.any():
            yield name, int(mask.sum())
            yield TaggedOutput(
                _SAMPLES, (name, event_rules.describe_events(log.filter(pa.array(mask))))
            )
    if dataset.data.interactions.time_outliers == "reject":
        stray = outliers[event_rules.EARLY_STRAGGLERS] | outliers[event_rules.LATE_STRAGGLERS]
        refused = log.filter(pa.array(stray))
        yield from reject_events({STRAGGLER: refused}, outputs.letters, shard.number, "straggler")
        log = _drop_origin(log.filter(pa.array(~stray)))
    yield from _write_shard(log, shard, times, dataset, count, outputs)


def _drop_origin(events: pa.Table) -> pa.Table:
    return events.drop([name for name in ORIGIN if name in events.column_names])


def _write_shard(
    events: pa.Table,
    shard: Shard,
    times: LogTimes,
    dataset: Dataset,
    count: int,
    outputs: EventOutputs,
) -> Iterator[tuple[str, int]]:
    events, edges, earlier = insert_histories(
        events, find_edges(events, times.clock), times.bulk.begin
    )
    log = events.drop([name for name in (TABLE, SPLIT) if name in events.column_names])
    users = shards.unpack([shard.users]) if shard.users else _build_empty_users(dataset)
    for split in timeline.SPLITS:
        windows = timelines.build_split_windows(
            edges, split, dataset.data.events_per_example, dataset.data.history_per_example
        )
        with examples.open_writer(outputs.examples, split, shard.number, count) as writer:
            for batch in timelines.build_batches(log, windows, users):
                examples.write(writer, batch)
        yield split, int((windows.stop - windows.own).sum())
        yield from tally_accepted(events, windows)
    if dataset.split.kind == "window":
        before = timelines.Windows(edges.first, edges.first + earlier, edges.train)
        yield "before", int((before.stop - before.own).sum())
        yield from tally_accepted(events, before)
    windows = timelines.build_user_windows(edges)
    known = log.drop([timeline.SHOWN]) if timeline.SHOWN in log.column_names else log
    batches = map(_select_history, timelines.build_batches(known, windows, users))
    histories.write(outputs.histories, shard.number, count, batches)
    yield "users", len(windows.start)


def _load_events(shard: Shard, dataset: Dataset) -> pa.Table:
    events = shards.unpack([shard.events] if shard.events else [])
    if events is not None:
        return events
    return sort_events(build_empty_table(build_interaction_fields(dataset)))


def _build_empty_users(dataset: Dataset) -> pa.Table | None:
    """Users of a shard that the user table has no records for: all their features are null."""
    return None if dataset.data.users is None else build_empty_table(build_user_fields(dataset))


def _select_history(batch: pa.Table) -> pa.Table:
    """The columns of a history: those of a timeline without labels, and TEST_FROM."""
    names = (timeline.USER_ID, timeline.ITEM_IDS, timeline.TIMESTAMPS)
    prefixes = (timeline.name_context(""), timeline.name_user_feature(""))
    history = batch.select(
        [name for name in batch.column_names if name in names or name.startswith(prefixes)]
    )
    return history.append_column(timeline.TEST_FROM, batch[timeline.TARGET_FROM])
