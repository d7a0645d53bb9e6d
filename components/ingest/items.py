"""The catalogue: raw files -> one Example per item, sorted by id."""

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.events.log import keep_latest
from components.ingest.fields.table_spec import FILE, LINE, ORIGIN, TableSpec, build_item_fields
from components.ingest.output import counts, dead_letters, examples, shards
from components.ingest.output.counts import WriteCounts
from components.ingest.read.files import find_files
from components.ingest.read.records import DUPLICATE_ID
from components.ingest.read_table import ReadTable, plan_shards
from schema import timeline
from schema.dataset import Dataset

ITEMS_PER_FILE = 50_000


def build(
    pipeline: beam.Pipeline, dataset: Dataset, data_dir: str, examples_uri: str, rejected_dir: str
) -> None:
    """Adds the steps for the catalogue to `pipeline`; read the result with
    `counts.load(examples_uri)`.

    The Examples have item_id, title (the id if there is none), available if a column is declared
    for it, and item_<name>. Of several items with the same id the last line is used. One worker
    processes the whole catalogue, which the index later holds in memory anyway.

    Args:
        pipeline: Beam pipeline.
        dataset: Description of the tables.
        data_dir: Folder or URL that relative paths of tables start from.
        examples_uri: URI of the Examples to write.
        rejected_dir: Folder or URL of the dead letters, one folder per table.
    """
    spec, paths = build_spec(dataset, data_dir)
    examples.prepare(examples_uri, (timeline.CATALOGUE_SPLIT,))
    letters = dead_letters.prepare(rejected_dir, spec.name)
    read: Any = pipeline | ReadTable(spec, paths, letters)
    seed = pipeline | "NoItem" >> beam.Create([(0, b"")])
    written = (
        (read["records"], seed)
        | "Together" >> beam.Flatten()
        | "Gather" >> beam.GroupByKey()
        | "Write"
        >> beam.FlatMap(_write_catalogue, examples_uri, letters, dataset.data.items.duplicates)
    )
    tallies = (read["tallies"], written) | "AllTallies" >> beam.Flatten()
    _ = tallies | WriteCounts(("items",), examples_uri)


def read_item_ids(
    pipeline: beam.Pipeline, dataset: Dataset, data_dir: str, ids_only: bool
) -> beam.PCollection | None:
    """Reads the ids of the items that `build` accepts, as packed tables with the column ITEM_ID,
    including duplicates. Returns None if the catalogue has no files; `build` reports that.

    It reads the catalogue's files again, so that events do not depend on another component; `build`
    writes the dead letters and the counts.

    Args:
        pipeline: Beam pipeline.
        dataset: Description of the tables.
        data_dir: Folder or URL that relative paths of tables start from.
        ids_only: Whether to read no other column. The result then includes items that `build`
            rejects because of another column.
    """
    if not find_files(data_dir, dataset.data.items):
        return None
    spec, paths = build_spec(dataset, data_dir)
    if ids_only:
        spec = spec._replace(fields=spec.fields[:1], origin=())
    read: Any = pipeline | ReadTable(spec, paths, None)
    return read["records"] | "ItemIds" >> beam.MapTuple(_select_id)


def build_spec(dataset: Dataset, data_dir: str) -> tuple[TableSpec, list[str]]:
    """Returns the specification of the catalogue and the paths of its files."""
    source = dataset.data.items
    paths, _ = plan_shards(data_dir, source)
    origin = (FILE, LINE) if source.duplicates == "last" else ORIGIN
    return TableSpec("items", source, build_item_fields(dataset), 1, origin), paths


def _select_id(_: int, packed: bytes) -> bytes:
    records = shards.unpack([packed])
    assert records is not None, "expected a packed table"
    return shards.pack(records.select([timeline.ITEM_ID]))


def _write_catalogue(
    element: tuple[int, Iterable[bytes]], uri: str, letters: str, duplicates: str
) -> Iterator[tuple[str, int]]:
    records = shards.unpack(part for part in element[1] if part)
    if records is None:
        latest, repeated = pa.table({}), pa.table({})
    else:
        latest, repeated = keep_latest(records, timeline.ITEM_ID)
        latest = fill_titles(latest)
    _write_examples(latest, uri)
    yield counts.name_tally("items", "accepted"), latest.num_rows
    yield "items", latest.num_rows
    if duplicates == "last":
        yield counts.name_tally("items", "duplicates"), repeated.num_rows
    elif repeated.num_rows:
        dead_letters.write_late(letters, 0, {DUPLICATE_ID: repeated})
        yield counts.name_tally("items", "rejected", DUPLICATE_ID), repeated.num_rows


def _write_examples(latest: pa.Table, uri: str) -> None:
    files = max(1, -(-latest.num_rows // ITEMS_PER_FILE))
    for number in range(files):
        with examples.open_writer(uri, timeline.CATALOGUE_SPLIT, number, files) as writer:
            part = latest.slice(number * ITEMS_PER_FILE, ITEMS_PER_FILE)
            if part.num_rows:
                examples.write(writer, part)


def fill_titles(items: pa.Table) -> pa.Table:
    """Fills the title of each item without one with its id."""
    ids = items[timeline.ITEM_ID]
    if timeline.TITLE not in items.column_names:
        return items.append_column(timeline.TITLE, ids)
    title = pc.coalesce(items[timeline.TITLE], ids)
    return items.set_column(items.column_names.index(timeline.TITLE), timeline.TITLE, title)
