"""The catalogue: raw files -> one Example per item, sorted by id."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.catalogue import (
    build_catalogue,
    fill_titles,
    list_properties,
    tally_columns_without_values,
)
from components.ingest.events.joined_tables import unpack_tables
from components.ingest.fields.table_fields import build_item_fields
from components.ingest.fields.table_spec import FILE, LINE, ORIGIN, TableSpec
from components.ingest.output import counts, dead_letters, examples, histories, shards
from components.ingest.output.counts import Counts, WriteCounts
from components.ingest.read.files import find_files
from components.ingest.read_table import ReadTable, plan_shards
from schema import timeline
from schema.dataset import Dataset

ITEMS_PER_FILE = 50_000
_USERS_PER_BATCH = 8192
_FIRST_TABLE = [counts.name_tally("items", what) for what in ("accepted", "duplicates")]


def build(
    pipeline: beam.Pipeline,
    dataset: Dataset,
    data_dir: str,
    examples_uri: str,
    rejected_dir: str,
    test_cut: int | None = None,
) -> None:
    """Adds the steps for the catalogue to `pipeline`; read the result with
    `counts.load(examples_uri)`.

    The Examples have item_id, title (the id if there is none), available if a column is declared
    for it, and item_<name>. Of several items with the same id the last line is used; the columns of
    later tables are added as `joined_tables.join_tables` describes. One worker processes the whole
    catalogue, which the index later holds in memory anyway.

    Args:
        pipeline: Beam pipeline.
        dataset: Description of the tables.
        data_dir: Folder or URL that relative paths of tables start from.
        examples_uri: URI of the Examples to write.
        rejected_dir: Folder or URL of the dead letters, one folder per table.
        test_cut: Start of the test split, in seconds since epoch, UTC, where the latest values of
            properties end that have no `as_of`.
    """
    specs = build_specs(dataset, data_dir)
    examples.prepare(examples_uri, (timeline.CATALOGUE_SPLIT,))
    letters = [dead_letters.prepare(rejected_dir, spec.name) for spec, _ in specs]
    records = {"seed": pipeline | "NoItem" >> beam.Create([(0, b"")])}
    tallies: list[beam.PCollection] = []
    for (spec, paths), folder in zip(specs, letters, strict=True):
        read: Any = pipeline | ReadTable(spec, paths, folder)
        records[spec.name] = read["records"]
        tallies.append(read["tallies"])
    written = (
        records
        | "Gather" >> beam.CoGroupByKey()
        | "Write" >> beam.FlatMap(_write_catalogue, examples_uri, letters, dataset, test_cut)
    )
    names = tuple(spec.name for spec, _ in specs)
    _ = (*tallies, written) | "AllTallies" >> beam.Flatten() | WriteCounts(names, examples_uri)


def write_logged_items(histories_uri: str, examples_uri: str) -> None:
    """Writes one Example per item of the log, sorted by id, for data without a catalogue: item_id,
    and title, which is the id. The counts have no table.
    """
    found = pa.array([], pa.large_string())
    for users in histories.read_tables(histories_uri, _USERS_PER_BATCH):
        ids = pc.list_flatten(users[timeline.ITEM_IDS]).cast(pa.large_string())
        found = pc.unique(pa.chunked_array([found, *ids.chunks]))
    logged = pa.table({timeline.ITEM_ID: found.take(pc.sort_indices(found))})
    examples.prepare(examples_uri, (timeline.CATALOGUE_SPLIT,))
    _write_examples(fill_titles(logged), examples_uri)
    counts.write(examples_uri, Counts({}, {"items": logged.num_rows}))


def read_item_ids(
    pipeline: beam.Pipeline, dataset: Dataset, data_dir: str, ids_only: bool
) -> beam.PCollection | None:
    """Reads the ids of the items that `build` accepts, as packed tables with the column ITEM_ID,
    including duplicates. Returns None without a catalogue, or if it has no files; `build` reports
    the latter.

    It reads the catalogue's files again, so that events do not depend on another component; `build`
    writes the dead letters and the counts.

    Args:
        pipeline: Beam pipeline.
        dataset: Description of the tables.
        data_dir: Folder or URL that relative paths of tables start from.
        ids_only: Whether to read no other column. The result then includes items that `build`
            rejects because of another column.
    """
    if dataset.data.items is None or not find_files(data_dir, dataset.data.items):
        return None
    spec, paths = build_specs(dataset, data_dir)[0]
    if ids_only:
        spec = spec._replace(fields=spec.fields[:1], origin=(), properties=None)
    read: Any = pipeline | ReadTable(spec, paths, None)
    return read["records"] | "ItemIds" >> beam.MapTuple(_select_id)


def build_specs(dataset: Dataset, data_dir: str) -> list[tuple[TableSpec, list[str]]]:
    """Returns the specification of each table of the catalogue, and the paths of its files."""
    specs = []
    for number, source in enumerate(dataset.data.item_tables):
        paths, _ = plan_shards(data_dir, source)
        origin = (FILE, LINE) if source.duplicates == "last" else ORIGIN
        spec = TableSpec("items", source, build_item_fields(dataset, number), 1, origin)
        specs.append(
            (spec._replace(number=number, properties=list_properties(dataset, number)), paths)
        )
    return specs


def _select_id(_: int, packed: bytes) -> bytes:
    records = shards.unpack([packed])
    assert records is not None, "expected a packed table"
    return shards.pack(records.select([timeline.ITEM_ID]))


def _write_catalogue(
    element: tuple[int, dict[str, Iterable[bytes]]],
    uri: str,
    letters: Sequence[str],
    dataset: Dataset,
    test_cut: int | None,
) -> Iterator[tuple[str, int]]:
    tables = unpack_tables("items", element[1], len(letters))
    if not tables:
        _write_examples(pa.table({}), uri)
        yield "items", 0
        return
    catalogue, tallies = build_catalogue(tables, letters, dataset, test_cut)
    _write_examples(catalogue, uri)
    yield from tallies
    first = sum(n for name, n in tallies if name in _FIRST_TABLE)
    yield from tally_columns_without_values(catalogue, first, dataset)
    yield "items", catalogue.num_rows


def _write_examples(latest: pa.Table, uri: str) -> None:
    files = max(1, -(-latest.num_rows // ITEMS_PER_FILE))
    for number in range(files):
        with examples.open_writer(uri, timeline.CATALOGUE_SPLIT, number, files) as writer:
            part = latest.slice(number * ITEMS_PER_FILE, ITEMS_PER_FILE)
            if part.num_rows:
                examples.write(writer, part)
