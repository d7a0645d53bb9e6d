"""What can be known to be wrong before anything starts, and what the input is, in one word."""

import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from components.ingest import header_advice, spans
from components.ingest.excerpt import names
from components.ingest.fields import table_spec
from components.ingest.fields.table_spec import Field
from components.ingest.read import (
    compression,
    delimited,
    files,
    format_detection,
    parquet_file,
    paths,
    sequences,
)
from components.ingest.read.paths import Located
from schema import user_ids
from schema.dataset import Dataset
from schema.errors import ConfigError, DataRefused
from schema.sources import SPAN, InteractionsSource, Source

# A field that a log seldom fills shows itself within this many records, or is taken for a mistake.
_SAMPLE = 10_000
_READ_BYTES = 1 << 20
_NAME_OF_AN_ID = re.compile(r"([a-z]+[ _-]?)?(id|key|code)", re.IGNORECASE)
_LONGEST_LINE = 1 << 24


class _Table(NamedTuple):
    name: str
    source: Source
    fields: Sequence[Field]


def check(dataset: Dataset, data_dir: str) -> None:
    """Looks at the start of every input file.

    Raises ConfigError for a missing file and for a column that the configuration names and the file
    does not have, or where the key of user ids is not to be had; DataRefused for a table of empty
    files.
    """
    if dataset.data.hash_user_ids is not None:
        user_ids.secret(dataset.data.hash_user_ids)
    open_file_systems()
    for table in _tables(dataset):
        _check_table(table, data_dir)


def check_table(dataset: Dataset, name: str, data_dir: str) -> None:
    """As `check`, of the table `name` alone."""
    if dataset.data.hash_user_ids is not None and name != "items":
        user_ids.secret(dataset.data.hash_user_ids)
    open_file_systems()
    (table,) = [table for table in _tables(dataset) if table.name == name]
    _check_table(table, data_dir)


def fingerprint(dataset: Dataset, data_dir: str) -> str:
    """SHA-256 over paths and contents of all input files: another one, another result."""
    open_file_systems()
    digest = hashlib.sha256(user_ids.fingerprint(dataset.data.hash_user_ids).encode())
    for table in _tables(dataset):
        for path, size in files.match(data_dir, table.source).items():
            digest.update(f"{table.name}\0{path}\0{size}\0".encode())
            with compression.open_packed(path) as handle:
                while chunk := handle.read(_READ_BYTES):
                    digest.update(chunk)
    return digest.hexdigest()


def _check_table(table: _Table, data_dir: str) -> None:
    _check_columns(table, _filled(table, paths.of(data_dir, table.source), data_dir))


def _tables(dataset: Dataset) -> Iterator[_Table]:
    data = dataset.data
    yield _Table("interactions", data.interactions, table_spec.of_interactions(dataset))
    yield _Table("items", data.items, table_spec.of_items(dataset))
    if data.users is not None:
        yield _Table("users", data.users, table_spec.of_users(dataset))


def open_file_systems() -> None:
    """Beam's for S3 wants options of a pipeline, and there is none yet; these are the defaults."""
    FileSystems.set_options(PipelineOptions([]))


def _filled(table: _Table, where: Located, data_dir: str) -> list[str]:
    """The files with content."""
    paths = list(files.match(data_dir, table.source))
    span = f" for span {table.source.span}" if table.source.span is not None else ""
    if not paths:
        raise ConfigError(
            f"data.{table.name}.path: expected a file, folder or glob, found nothing at "
            f"{where}{span}; fix the path or give --data"
        )
    if SPAN in where.glob and table.name != "interactions":
        _expect_order(table, where, paths)
    filled = [path for path in paths if _has_content(path)]
    if not filled:
        raise DataRefused(
            f"data.{table.name}.path: expected records, received only empty files at "
            f"{where}{span}; give the file that holds them"
        )
    for path in filled:
        format_detection.expect(path, table.source)
    return filled


def _expect_order(table: _Table, where: Located, paths: list[str]) -> None:
    """Of records with one id the last file's wins, by name: 10 comes before 9 there."""
    found = sorted({spans.span_of(where, path) or "" for path in paths}, key=len)
    if len(found[0]) != len(found[-1]):
        raise ConfigError(
            f"data.{table.name}.path: expected spans of one width at {where}, received {found[0]} "
            f"and {found[-1]}; fill numbers up with zeros, or choose one span"
        )


def _check_columns(table: _Table, filled: list[str]) -> None:
    if table.source.format == "csv":
        _check_delimited(table, filled)
    elif table.source.format == "parquet":
        _check_parquet(table, filled)
    elif isinstance(table.source, InteractionsSource) and table.source.format == "sequences":
        names = sequences.columns_of(table.source)
        _expect_columns(table, filled[0], names, "sequences have no others")
    else:
        _check_json(table, filled)


def _has_content(path: str) -> bool:
    """Whether there is a byte to read; a damaged file has some, the run makes a letter of it."""
    try:
        with compression.open_bytes(path) as handle:
            return bool(handle.read(1))
    except compression.DAMAGED:
        return True


def _check_delimited(table: _Table, paths: list[str]) -> None:
    """Every file has its own header, unless the configuration names the columns of all."""
    for path in paths[:1] if table.source.columns is not None else paths:
        found = delimited.column_names(path, table.source)
        expected = [column for field in table.fields for column in field.columns]
        hint = header_advice.advice(found, expected, table.source.delimiter)
        _expect_columns(table, path, found, hint)
    if table.source.columns is not None:
        for path in paths:
            _expect_no_header(table, path, table.source.columns)


def _expect_no_header(table: _Table, path: str, columns: list[str]) -> None:
    """The names themselves are noticed record by record; other names would become an item."""
    try:
        first = delimited.header(path, table.source.changed(columns=None))
    except DataRefused:  # a letter of the run
        return
    by_column = dict(zip(columns, first, strict=False))
    named = by_column.get(table.fields[0].column, "").strip()
    if first != columns and _NAME_OF_AN_ID.fullmatch(named):
        raise ConfigError(
            f"{path}: data.{table.name}.columns names the columns, and the first line looks like a "
            f"header too, received {names(first)}; leave columns out, or that line"
        )


def _check_parquet(table: _Table, paths: list[str]) -> None:
    """Every file has its own schema; a damaged one has none, the run makes letters of it."""
    for path in paths:
        names = parquet_file.column_names(path)
        if names is not None:
            _expect_columns(table, path, names, "are these the files that path means?")


def _check_json(table: _Table, paths: list[str]) -> None:
    """An optional field may be absent from many records: the columns are those of all the first."""
    every = itertools.chain.from_iterable(map(_lines, paths))
    lines = [line for line in itertools.islice(every, _SAMPLE) if line.strip()]
    objects = [keys for keys in map(_keys, lines) if keys is not None]
    if 2 * len(objects) < len(lines):
        raise ConfigError(
            f"{files.shown(paths)}: expected one JSON object a line, received "
            f"{format_detection.looks_like(lines)}"
        )
    received = dict.fromkeys(itertools.chain.from_iterable(objects))
    if received:
        hint = f"the first {_SAMPLE} records do not have it"
        _expect_columns(table, files.shown(paths), list(received), hint)


def _expect_columns(table: _Table, where: str, received: list[str], hint: str) -> None:
    for field in table.fields:
        missing = [column for column in field.columns if column not in received]
        if missing:
            raise ConfigError(
                f"{where}: {field.key} expects column {missing[0]!r}, "
                f"received columns {names(received)}; {hint}"
            )
        repeated = [column for column in field.columns if received.count(column) > 1]
        if repeated:
            raise ConfigError(
                f"{where}: {field.key} expects one column {repeated[0]!r}, "
                f"received columns {', '.join(map(repr, received))}; rename or remove the others"
            )


def _lines(path: str) -> Iterator[bytes]:
    try:
        with compression.open_bytes(path) as handle:
            while line := handle.readline(_LONGEST_LINE):
                yield line
    except compression.DAMAGED:
        return


def _keys(line: bytes) -> list[str] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return list(record) if isinstance(record, dict) else None
