"""Reads new items and events for a refresh in one process, by the rules of ingestion."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from components.ingest import items, preflight
from components.ingest.catalogue import build_catalogue
from components.ingest.events import rules as event_rules
from components.ingest.events.event_tables import (
    LOG,
    build_events_spec,
    reject_events,
    tally_duplicates,
    tally_events,
)
from components.ingest.events.log import sort_events
from components.ingest.output import acceptance, counts, dead_letters
from components.ingest.output.counts import Counts
from components.ingest.output.id_overlap import count_ids, measure_overlap
from components.ingest.read_table import plan_shards, read_in_process
from schema import refresh_inputs, timeline
from schema.dataset import Dataset
from schema.errors import UsageError
from schema.sources import InteractionsSource


class AcceptedRecords(NamedTuple):
    """Accepted records of one table, and the counts of all its records."""

    records: pa.Table
    counts: Counts


def read_items(dataset: Dataset, paths: Sequence[str], rejected_dir: str) -> AcceptedRecords:
    """Reads new items as ingestion would write them: sorted by id, without duplicates.

    Args:
        dataset: Description of the tables.
        paths: Absolute path, folder, glob or URL of each of the catalogue's tables.
        rejected_dir: Folder or URL of the dead letters.

    Raises:
        UsageError: The number of paths is not that of the tables.
        ConfigError: A file or a column is missing.
        DataRefused: The data break a rule of ingestion.
    """
    dataset = _replace_paths(dataset, "items", paths)
    preflight.check_kind(dataset, "items", "")
    specs = items.build_specs(dataset, "")
    letters = [dead_letters.prepare(rejected_dir, spec.name) for spec, _ in specs]
    tables = [
        read_in_process(spec, files, folder)
        for (spec, files), folder in zip(specs, letters, strict=True)
    ]
    catalogue, tallies = build_catalogue(
        [read.records for read in tables], letters, dataset, test_cut=None
    )
    names = tuple(spec.name for spec, _ in specs)
    counted = _sum_tallies([read.tallies for read in tables], tallies, names)
    acceptance.check(counted, dataset.data, rejected_dir)
    return AcceptedRecords(catalogue, counted)


def _sum_tallies(
    read: Iterable[Counter[str]], late: Iterable[tuple[str, int]], tables: tuple[str, ...]
) -> Counts:
    total: Counter[str] = Counter()
    for tallies in read:
        total.update(tallies)
    for name, n in late:
        total[name] += n
    return counts.sum_tallies(total, tables, {})


def read_events(
    dataset: Dataset, paths: Sequence[str], rejected_dir: str, item_ids: pa.Array
) -> AcceptedRecords:
    """Reads positive events with the columns of `schema.refresh_inputs`, without duplicates.

    Args:
        dataset: Description of the tables.
        paths: Absolute path, folder, glob or URL of each of the log's tables.
        rejected_dir: Folder or URL of the dead letters.
        item_ids: [n] large_binary, the ids of the catalogue.

    Raises:
        UsageError: The log has no times, or the number of paths is not that of the tables.
        ConfigError: A file or a column is missing.
        DataRefused: The data break a rule of ingestion.
    """
    source = dataset.data.interactions
    if not source.has_times:
        table = f"format = {source.format!r}" if source.has_positions else 'timestamp = ""'
        raise UsageError(
            f"expected a log with times for --events, received one with {table}, which has none "
            "and cannot show what is popular now; omit --events"
        )
    dataset = _replace_paths(dataset, LOG, paths)
    preflight.check_kind(dataset, LOG, "")
    specs = [build_events_spec(dataset, number, 1) for number in range(len(paths))]
    letters = [dead_letters.prepare(rejected_dir, spec.name) for spec in specs]
    tables = [
        read_in_process(spec, plan_shards("", spec.source)[0], folder)
        for spec, folder in zip(specs, letters, strict=True)
    ]
    records = pa.concat_tables([read.records for read in tables]).combine_chunks()
    kept, tallies = _accept_events(records, source, letters, item_ids)
    names = tuple(spec.name for spec in specs)
    counted = _sum_tallies([read.tallies for read in tables], tallies, names)
    overlap = measure_overlap(_count_item_ids(records), item_ids.cast(pa.large_string()))
    counted = dataclasses.replace(counted, meetings={"items": overlap})
    acceptance.check(counted, dataset.data, rejected_dir, is_whole_log=False)
    positive = kept.filter(pc.equal(kept[timeline.POSITIVE], 1))
    return AcceptedRecords(
        positive.select(refresh_inputs.RECENT_EVENTS_SCHEMA.names).cast(
            refresh_inputs.RECENT_EVENTS_SCHEMA
        ),
        counted,
    )


def _count_item_ids(events: pa.Table) -> pa.Table:
    return count_ids(events[timeline.ITEM_ID].combine_chunks())


def _replace_paths(dataset: Dataset, kind: str, paths: Sequence[str]) -> Dataset:
    """Returns the dataset with all spans of `paths` as the tables of a kind."""
    tables = dataset.data.get_tables(kind)
    if not tables:
        raise UsageError(
            f"expected data.{kind}, from which a refresh reads items, received none: the items of "
            "this run are those of its events; use `tandem run` to add items"
        )
    if len(paths) != len(tables):
        option = {LOG: "--events", "items": "--items"}[kind]
        raise UsageError(
            f"{option} expects {len(tables)} paths, one for each table of data.{kind} in its "
            f"order, received {len(paths)}; repeat the option for each table"
        )
    replaced = [
        table.model_copy(update={"path": path, "span": None})
        for table, path in zip(tables, paths, strict=True)
    ]
    data = dataset.data.replace_tables({kind: replaced})
    return dataset.model_copy(update={"data": data})


def _accept_events(
    records: pa.Table, source: InteractionsSource, letters: Sequence[str], item_ids: pa.Array
) -> tuple[pa.Table, list[tuple[str, int]]]:
    kept = sort_events(records)
    tallies = tally_duplicates(records, kept)
    if event_rules.needs_origin(source):
        known = item_ids.cast(pa.large_string())
        kept, refused = event_rules.apply_rules(kept, source, known)
        tallies += reject_events(refused, letters, 0)
    return kept, tallies + tally_events(kept, "accepted")
