"""The catalogue: raw files -> one Example an item, sorted by id."""

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields import table_spec
from components.ingest.latest import latest
from components.ingest.output import counts, dead_letters, examples, shards
from components.ingest.read import files
from components.ingest.read_table import ReadTable, paths_and_shards
from components.ingest.rejection import DUPLICATE_ID
from components.ingest.table_spec import FILE, LINE, ORIGIN, TableSpec
from components.ingest.tallies import WriteCounts
from schema import timeline
from schema.dataset import Dataset

ITEMS_PER_FILE = 50_000


def build(
    pipeline: beam.Pipeline, dataset: Dataset, data_dir: str, examples_uri: str, rejected_dir: str
) -> None:
    """Adds the catalogue's way to `pipeline`; `counts.load(examples_uri)` tells the rest.

    Examples: item_id, title (the id where there is none), available where a column says it,
    item_<name>. Of items that share an id the last line wins. The whole catalogue passes through
    one worker, as it does in the index.
    """
    spec, paths = table(dataset, data_dir)
    examples.prepare(examples_uri, (timeline.CATALOGUE_SPLIT,))
    letters = dead_letters.prepare(rejected_dir, spec.name)
    read: Any = pipeline | ReadTable(spec, paths, letters)
    seed = pipeline | "NoItem" >> beam.Create([(0, b"")])
    written = (
        (read["records"], seed)
        | "Together" >> beam.Flatten()
        | "Gather" >> beam.GroupByKey()
        | "Write" >> beam.FlatMap(_write, examples_uri, letters, dataset.data.items.duplicates)
    )
    tallies = (read["tallies"], written) | "AllTallies" >> beam.Flatten()
    _ = tallies | WriteCounts(("items",), examples_uri)


def known(
    pipeline: beam.Pipeline, dataset: Dataset, data_dir: str, ids_alone: bool
) -> beam.PCollection | None:
    """Ids of the items that `build` accepts: packed tables of ITEM_ID alone, repetitions included.
    With `ids_alone` no other column is read, and items that `build` refuses for one are among them.
    None where the catalogue has no file, which `build` says.

    Read again from the catalogue's files, so that events wait for no other component; `build`
    writes the dead letters and counts.
    """
    if not files.match(data_dir, dataset.data.items):
        return None
    spec, paths = table(dataset, data_dir)
    if ids_alone:
        spec = spec._replace(fields=spec.fields[:1], origin=())
    read: Any = pipeline | ReadTable(spec, paths, None)
    return read["records"] | "ItemIds" >> beam.MapTuple(_id_alone)


def table(dataset: Dataset, data_dir: str) -> tuple[TableSpec, list[str]]:
    """What to make of the catalogue, and its files."""
    source = dataset.data.items
    paths, _ = paths_and_shards(data_dir, source)
    origin = (FILE, LINE) if source.duplicates == "last" else ORIGIN
    return TableSpec("items", source, table_spec.of_items(dataset), 1, origin), paths


def _id_alone(_: int, packed: bytes) -> bytes:
    records = shards.unpack([packed])
    assert records is not None, "expected a packed table"
    return shards.pack(records.select([timeline.ITEM_ID]))


def _write(
    element: tuple[int, Iterable[bytes]], uri: str, letters: str, duplicates: str
) -> Iterator[tuple[str, int]]:
    records = shards.unpack(part for part in element[1] if part)
    if records is None:
        kept, repeated = pa.table({}), pa.table({})
    else:
        kept, repeated = latest(records, timeline.ITEM_ID)
        kept = with_title(kept)
    _write_examples(kept, uri)
    yield counts.key("items", "accepted"), kept.num_rows
    yield "items", kept.num_rows
    if duplicates == "last":
        yield counts.key("items", "duplicates"), repeated.num_rows
    elif repeated.num_rows:
        dead_letters.write_late(letters, 0, {DUPLICATE_ID: repeated})
        yield counts.key("items", "rejected", DUPLICATE_ID), repeated.num_rows


def _write_examples(kept: pa.Table, uri: str) -> None:
    files = max(1, -(-kept.num_rows // ITEMS_PER_FILE))
    for number in range(files):
        with examples.open_writer(uri, timeline.CATALOGUE_SPLIT, number, files) as writer:
            part = kept.slice(number * ITEMS_PER_FILE, ITEMS_PER_FILE)
            if part.num_rows:
                examples.write(writer, part)


def with_title(items: pa.Table) -> pa.Table:
    """People see the id of an item that has no title."""
    ids = items[timeline.ITEM_ID]
    if timeline.TITLE not in items.column_names:
        return items.append_column(timeline.TITLE, ids)
    title = pc.coalesce(items[timeline.TITLE], ids)
    return items.set_column(items.column_names.index(timeline.TITLE), timeline.TITLE, title)
