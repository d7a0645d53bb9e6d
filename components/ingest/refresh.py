"""New items and new events for a refresh: read at once, refused and counted as by ingestion."""

import dataclasses
from collections import Counter
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from components.ingest import items, preflight, read_at_once
from components.ingest.events import log
from components.ingest.events import rules as event_rules
from components.ingest.fields import table_spec
from components.ingest.latest import Latest, latest
from components.ingest.output import acceptance, counts, dead_letters, id_overlap
from components.ingest.output.counts import Counts
from components.ingest.read_table import paths_and_shards
from components.ingest.rejection import DUPLICATE_ID
from components.ingest.table_spec import ORIGIN, TableSpec
from schema import refresh_inputs, timeline
from schema.dataset import Dataset
from schema.errors import UsageError
from schema.sources import InteractionsSource


class Accepted(NamedTuple):
    """One table."""

    records: pa.Table
    counts: Counts


def read_items(dataset: Dataset, path: str, rejected_dir: str) -> Accepted:
    """Items of the absolute path, folder, glob or URL `path`, as ingestion would write them:
    sorted by id, each once.

    Raises what ingestion raises: ConfigError for a missing file or column, DataRefused for data
    that break a rule.
    """
    dataset = _at(dataset, "items", path)
    preflight.check_table(dataset, "items", "")
    spec, paths = items.table(dataset, "")
    letters = dead_letters.prepare(rejected_dir, spec.name)
    read = read_at_once.read(spec, paths, letters)
    chosen = latest(read.records, timeline.ITEM_ID)
    _tally_items(read.tallies, chosen, dataset.data.items.duplicates, letters)
    counted = counts.gather(read.tallies, ("items",), {})
    acceptance.check(counted, dataset.data, rejected_dir)
    return Accepted(items.with_title(chosen.kept), counted)


def _tally_items(tallies: Counter[str], chosen: Latest, duplicates: str, letters: str) -> None:
    tallies[counts.key("items", "accepted")] = chosen.kept.num_rows
    if duplicates == "last":
        tallies[counts.key("items", "duplicates")] = chosen.repeated.num_rows
    elif chosen.repeated.num_rows:
        dead_letters.write_late(letters, 0, {DUPLICATE_ID: chosen.repeated})
        tallies[counts.key("items", "rejected", DUPLICATE_ID)] = chosen.repeated.num_rows


def read_events(dataset: Dataset, path: str, rejected_dir: str, item_ids: pa.Array) -> Accepted:
    """Positive events of `path` as `schema.refresh_inputs` has them, each once.

    `item_ids` [n] large_binary is the catalogue. Raises what ingestion raises, and UsageError for a
    log without times.
    """
    dataset = _at(dataset, "interactions", path)
    source = dataset.data.interactions
    if source.format == "sequences":
        raise UsageError(
            'expected a log with times for --events, received one of format = "sequences", which '
            "cannot say what is popular now; leave --events out"
        )
    preflight.check_table(dataset, "interactions", "")
    letters = dead_letters.prepare(rejected_dir, "interactions")
    paths, _ = paths_and_shards("", source)
    read = read_at_once.read(_events_spec(dataset), paths, letters)
    kept = _kept_events(read, source, letters, item_ids)
    counted = counts.gather(read.tallies, ("interactions",), {})
    met = id_overlap.meet(_item_ids(read.records), item_ids.cast(pa.large_string()))
    counted = dataclasses.replace(counted, meetings={"items": met})
    acceptance.check(counted, dataset.data, rejected_dir)
    positive = kept.filter(pc.equal(kept[timeline.POSITIVE], 1))
    return Accepted(
        positive.select(refresh_inputs.SCHEMA.names).cast(refresh_inputs.SCHEMA), counted
    )


def _item_ids(events: pa.Table) -> pa.Table:
    return id_overlap.weighed(events[timeline.ITEM_ID].combine_chunks())


def _at(dataset: Dataset, table: str, path: str) -> Dataset:
    """The data set with all of `path` as one of its tables."""
    source = getattr(dataset.data, table).model_copy(update={"path": path, "span": None})
    data = dataset.data.model_copy(update={table: source})
    return dataset.model_copy(update={"data": data})


def _events_spec(dataset: Dataset) -> TableSpec:
    source = dataset.data.interactions
    withholds_raw = dataset.data.hash_user_ids is not None
    origin = ORIGIN if event_rules.needs_origin(source) else ()
    own = table_spec.of_interactions(dataset)
    return TableSpec("interactions", source, own, 1, origin, withholds_raw)


def _kept_events(
    read: read_at_once.ReadRecords, source: InteractionsSource, letters: str, item_ids: pa.Array
) -> pa.Table:
    kept = log.in_order(read.records)
    repeated = read.records.num_rows - kept.num_rows
    read.tallies[counts.key("interactions", "duplicates")] = repeated
    if event_rules.needs_origin(source):
        known = item_ids.cast(pa.large_string())
        kept, refused = event_rules.judge(kept, source, known)
        dead_letters.write_late(letters, 0, refused)
        for reason, table in refused.items():
            if table.num_rows:
                read.tallies[counts.key("interactions", "rejected", reason)] = table.num_rows
    read.tallies[counts.key("interactions", "accepted")] = kept.num_rows
    return kept
