"""Checks of the input files before a run: they exist, have content and the expected columns."""

import itertools
import re

from components.ingest.input_tables import (
    InputTable,
    list_delimited_columns,
    list_input_tables,
    list_object_columns,
    list_parquet_columns,
    omit_columns_of_others,
)
from components.ingest.read.compression import DAMAGE_ERRORS, open_decompressed
from components.ingest.read.files import describe_files, find_files, open_file_systems
from components.ingest.read.format_detection import describe_texts, require_format
from components.ingest.read.header_fix import HEAD_LINES, suggest_header_fix
from components.ingest.read.layout import read_header, read_start
from components.ingest.read.objects.object_sample import SAMPLE_RECORDS, sample_objects
from components.ingest.read.pairs.columns import list_pair_columns
from components.ingest.read.paths import PathPattern, extract_span, locate_table
from components.ingest.read.records import join_excerpts
from schema.dataset import Dataset
from schema.errors import ConfigError, DataRefused
from schema.sources import SPAN, InteractionsSource
from schema.user_ids import load_key

_EXPECTED_OBJECTS = {
    "jsonl": "one JSON object per line",
    "json": "JSON objects",
    "python": "one Python dict per line",
}
_NAME_OF_AN_ID = re.compile(r"([a-z]+[ _-]?)?(id|key|code)", re.IGNORECASE)


def check(dataset: Dataset, data_dir: str) -> None:
    """Checks the start of every input file.

    Raises ConfigError for a missing file, for a column that the configuration names and the file
    does not have, and if the key for user ids cannot be read; DataRefused for a table with only
    empty files.
    """
    if dataset.data.hash_user_ids is not None:
        load_key(dataset.data.hash_user_ids)
    open_file_systems()
    for kind in ("interactions", "items", "users"):
        _check_tables(dataset, kind, data_dir)


def check_kind(dataset: Dataset, kind: str, data_dir: str) -> None:
    """Like `check`, for the tables of one kind: interactions, items or users."""
    if dataset.data.hash_user_ids is not None and kind != "items":
        load_key(dataset.data.hash_user_ids)
    open_file_systems()
    _check_tables(dataset, kind, data_dir)


def _check_tables(dataset: Dataset, kind: str, data_dir: str) -> None:
    tables = list_input_tables(dataset, kind)
    for table in tables:
        _require_parallel_in_use(table)
    files = [
        _find_filled_files(table, locate_table(data_dir, table.source), data_dir)
        for table in tables
    ]
    for table, paths in zip(omit_columns_of_others(tables, files), files, strict=True):
        _check_columns(table, paths)


def _require_parallel_in_use(table: InputTable) -> None:
    """Rejects parallel lists that no field reads, which are probably misspelt."""
    if not isinstance(table.source, InteractionsSource) or table.source.basket is None:
        return
    used = {column for field in table.fields for column in field.columns}
    for column in table.source.basket.parallel:
        if column not in used:
            raise ConfigError(
                f"data.{table.name}.basket.parallel expects columns that the configuration reads "
                f"({join_excerpts(sorted(used))}), received {column!r}; fix the name or remove it"
            )


def _find_filled_files(table: InputTable, where: PathPattern, data_dir: str) -> list[str]:
    """Returns the files with content."""
    paths = list(find_files(data_dir, table.source))
    span = f" for span {table.source.span}" if table.source.span is not None else ""
    if not paths:
        raise ConfigError(
            f"data.{table.name}.path: expected a file, folder or glob, found nothing at "
            f"{where}{span}; fix the path or give --data"
        )
    if SPAN in where.glob and table.kind != "interactions":
        _require_span_width(table, where, paths)
    filled = [path for path in paths if _has_content(path)]
    if not filled:
        raise DataRefused(
            f"data.{table.name}.path: expected records, received only empty files at "
            f"{where}{span}; give the path of the file with the records"
        )
    for path in filled:
        require_format(path, table.source)
    return filled


def _require_span_width(table: InputTable, where: PathPattern, paths: list[str]) -> None:
    """Of several records with the same id the one in the last file, by name, is used; file names
    sort 10 before 9.
    """
    spans = sorted({extract_span(where, path) or "" for path in paths}, key=len)
    if len(spans[0]) != len(spans[-1]):
        raise ConfigError(
            f"data.{table.name}.path: expected spans of one width at {where}, received {spans[0]} "
            f"and {spans[-1]}; pad numbers with zeros, or choose one span"
        )


def _check_columns(table: InputTable, filled: list[str]) -> None:
    if table.source.format == "csv":
        _check_delimited(table, filled)
    elif table.source.format == "parquet":
        _check_parquet(table, filled)
    elif isinstance(table.source, InteractionsSource) and table.source.has_positions:
        names = list_pair_columns(table.source)
        hint = f"{table.source.format} have no other columns"
        _require_columns(table, describe_files(filled), names, hint)
    else:
        _check_objects(table, filled)


def _has_content(path: str) -> bool:
    """Whether the file has content; true for a damaged file, which the run reports."""
    try:
        with open_decompressed(path) as handle:
            return bool(handle.read(1))
    except DAMAGE_ERRORS:
        return True


def _check_delimited(table: InputTable, paths: list[str]) -> None:
    """Every file has its own header, unless the configuration names the columns of all files."""
    for path in paths[:1] if table.source.columns is not None else paths:
        names = list_delimited_columns(table, path)
        expected = [column for field in table.fields for column in field.columns]
        head = read_start(path, table.source, HEAD_LINES)
        hint = suggest_header_fix(names, expected, table.source, head)
        _require_columns(table, path, names, hint)
    if table.source.columns is not None:
        for path in paths:
            _require_no_header(table, path, table.source.columns)


def _require_no_header(table: InputTable, path: str, columns: list[str]) -> None:
    """Rejects a header with other names than `columns`, which would become a record; a header with
    the same names is rejected when the records are read.
    """
    try:
        first = read_header(path, table.source.replace_values(columns=None))
    except DataRefused:  # the run reports it
        return
    by_column = dict(zip(columns, first, strict=False))
    id_name = by_column.get(table.fields[0].column, "").strip()
    if first != columns and _NAME_OF_AN_ID.fullmatch(id_name):
        raise ConfigError(
            f"{path}: expected no header, since data.{table.name}.columns names the columns, "
            f"received {join_excerpts(first)}; remove columns or the first line"
        )


def _check_parquet(table: InputTable, paths: list[str]) -> None:
    """Every file has its own schema, except damaged files, which the run reports. An optional
    column is null in a file without it if another file has it.
    """
    by_path = {path: list_parquet_columns(table, path) for path in paths}
    readable = {path: names for path, names in by_path.items() if names is not None}
    every = set(itertools.chain.from_iterable(readable.values()))
    required = table._replace(fields=[field for field in table.fields if not field.optional])
    for path, names in readable.items():
        _require_columns(required, path, names, "is path right?")
        _require_columns(table, path, [*names, *every.difference(names)], "is path right?")


def _check_objects(table: InputTable, paths: list[str]) -> None:
    """Uses the keys of many records, because an optional field may be missing from most of them."""
    texts, objects = sample_objects(paths, table.source)
    if 2 * len(objects) < len(texts):
        raise ConfigError(
            f"{describe_files(paths)}: expected {_EXPECTED_OBJECTS[table.source.format]}, received "
            f"{describe_texts(texts)}"
        )
    if any(objects):
        hint = f"the first {SAMPLE_RECORDS} records do not have it"
        received = list_object_columns(table, paths, objects)
        _require_columns(table, describe_files(paths), received, hint)


def _require_columns(table: InputTable, where: str, received: list[str], hint: str) -> None:
    constants = table.source.constants
    for column in constants:
        if column in received:
            raise ConfigError(
                f"{where}: data.{table.name}.constants expects columns that the file does not "
                f"have, received {column!r}; remove it, or name it otherwise"
            )
    for field in table.fields:
        own = (*received, *table.source.made_columns)
        missing = [column for column in field.columns if column not in own]
        if missing:
            raise ConfigError(
                f"{where}: {field.key} expects column {missing[0]!r}, "
                f"received columns {join_excerpts(received)}; {hint}"
            )
        repeated = [column for column in field.columns if received.count(column) > 1]
        if repeated:
            raise ConfigError(
                f"{where}: {field.key} expects one column {repeated[0]!r}, "
                f"received columns {', '.join(map(repr, received))}; rename or remove the others"
            )
