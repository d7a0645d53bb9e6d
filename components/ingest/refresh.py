"""Reads new items and events for a refresh in one process, by the rules of ingestion."""

import dataclasses
from collections import Counter
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from components.ingest import items, preflight
from components.ingest.events import rules as event_rules
from components.ingest.events.log import LatestRecords, keep_latest, sort_events
from components.ingest.fields.table_spec import ORIGIN, TableSpec, build_interaction_fields
from components.ingest.output import acceptance, counts, dead_letters
from components.ingest.output.counts import Counts
from components.ingest.output.id_overlap import count_ids, measure_overlap
from components.ingest.read.records import DUPLICATE_ID
from components.ingest.read_table import TableRecords, plan_shards, read_in_process
from schema import refresh_inputs, timeline
from schema.dataset import Dataset
from schema.errors import UsageError
from schema.sources import InteractionsSource


class AcceptedRecords(NamedTuple):
    """Accepted records of one table, and the counts of all its records."""

    records: pa.Table
    counts: Counts


def read_items(dataset: Dataset, path: str, rejected_dir: str) -> AcceptedRecords:
    """Reads the items at `path`, an absolute path, folder, glob or URL, as ingestion would write
    them: sorted by id, without duplicates.

    Raises the errors of ingestion: ConfigError for a missing file or column, DataRefused for data
    that break a rule.
    """
    dataset = _replace_path(dataset, "items", path)
    preflight.check_table(dataset, "items", "")
    spec, paths = items.build_spec(dataset, "")
    letters = dead_letters.prepare(rejected_dir, spec.name)
    read = read_in_process(spec, paths, letters)
    latest = keep_latest(read.records, timeline.ITEM_ID)
    _tally_items(read.tallies, latest, dataset.data.items.duplicates, letters)
    counted = counts.sum_tallies(read.tallies, ("items",), {})
    acceptance.check(counted, dataset.data, rejected_dir)
    return AcceptedRecords(items.fill_titles(latest.kept), counted)


def _tally_items(
    tallies: Counter[str], latest: LatestRecords, duplicates: str, letters: str
) -> None:
    tallies[counts.name_tally("items", "accepted")] = latest.kept.num_rows
    if duplicates == "last":
        tallies[counts.name_tally("items", "duplicates")] = latest.repeated.num_rows
    elif latest.repeated.num_rows:
        dead_letters.write_late(letters, 0, {DUPLICATE_ID: latest.repeated})
        tallies[counts.name_tally("items", "rejected", DUPLICATE_ID)] = latest.repeated.num_rows


def read_events(
    dataset: Dataset, path: str, rejected_dir: str, item_ids: pa.Array
) -> AcceptedRecords:
    """Reads the positive events at `path` with the columns of `schema.refresh_inputs`, without
    duplicates.

    Args:
        dataset: Description of the tables.
        path: Absolute path, folder, glob or URL of the events.
        rejected_dir: Folder or URL of the dead letters.
        item_ids: [n] large_binary, the ids of the catalogue.

    Raises:
        UsageError: The log has no times.
        ConfigError: A file or a column is missing.
        DataRefused: The data break a rule of ingestion.
    """
    dataset = _replace_path(dataset, "interactions", path)
    source = dataset.data.interactions
    if source.format == "sequences":
        raise UsageError(
            'expected a log with times for --events, received one of format = "sequences", which '
            "have no times and cannot show what is popular now; omit --events"
        )
    preflight.check_table(dataset, "interactions", "")
    letters = dead_letters.prepare(rejected_dir, "interactions")
    paths, _ = plan_shards("", source)
    read = read_in_process(_build_events_spec(dataset), paths, letters)
    accepted = _accept_events(read, source, letters, item_ids)
    counted = counts.sum_tallies(read.tallies, ("interactions",), {})
    overlap = measure_overlap(_count_item_ids(read.records), item_ids.cast(pa.large_string()))
    counted = dataclasses.replace(counted, meetings={"items": overlap})
    acceptance.check(counted, dataset.data, rejected_dir)
    positive = accepted.filter(pc.equal(accepted[timeline.POSITIVE], 1))
    return AcceptedRecords(
        positive.select(refresh_inputs.RECENT_EVENTS_SCHEMA.names).cast(
            refresh_inputs.RECENT_EVENTS_SCHEMA
        ),
        counted,
    )


def _count_item_ids(events: pa.Table) -> pa.Table:
    return count_ids(events[timeline.ITEM_ID].combine_chunks())


def _replace_path(dataset: Dataset, table: str, path: str) -> Dataset:
    """Returns the dataset with all spans of `path` as its table `table`."""
    source = getattr(dataset.data, table).model_copy(update={"path": path, "span": None})
    data = dataset.data.model_copy(update={table: source})
    return dataset.model_copy(update={"data": data})


def _build_events_spec(dataset: Dataset) -> TableSpec:
    source = dataset.data.interactions
    withholds_raw = dataset.data.hash_user_ids is not None
    origin = ORIGIN if event_rules.needs_origin(source) else ()
    own = build_interaction_fields(dataset)
    return TableSpec("interactions", source, own, 1, origin, withholds_raw)


def _accept_events(
    read: TableRecords, source: InteractionsSource, letters: str, item_ids: pa.Array
) -> pa.Table:
    accepted = sort_events(read.records)
    repeated = read.records.num_rows - accepted.num_rows
    read.tallies[counts.name_tally("interactions", "duplicates")] = repeated
    if event_rules.needs_origin(source):
        catalogue = item_ids.cast(pa.large_string())
        accepted, refused = event_rules.apply_rules(accepted, source, catalogue)
        dead_letters.write_late(letters, 0, refused)
        for reason, table in refused.items():
            if table.num_rows:
                read.tallies[counts.name_tally("interactions", "rejected", reason)] = table.num_rows
    read.tallies[counts.name_tally("interactions", "accepted")] = accepted.num_rows
    return accepted
