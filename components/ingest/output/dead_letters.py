"""Dead letters: rejected records as JSON lines with file, line, reason, raw, row_group, detail."""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
from apache_beam.io.filesystems import FileSystems

from components.ingest.fields.table_spec import DETAIL, ORIGIN
from components.ingest.read.records import DeadLetter, format_excerpt
from schema.storage import object_store, plain_path
from schema.storage.locations import is_remote

_RECORDS_AT_ONCE = 10_000


def prepare(rejected_dir: str, table: str) -> str:
    """Creates the table's folder and removes the letters of an earlier run; returns the folder."""
    folder = FileSystems.join(rejected_dir, table)
    if is_remote(folder):  # a store has no empty folders
        object_store.remove(folder)
        return folder
    if FileSystems.exists(folder):
        FileSystems.delete([plain_path.link(folder)])
    FileSystems.mkdirs(folder)
    return folder


def write(folder: str, offset: int, letters: list[DeadLetter]) -> None:
    """Writes the letters of one block to a file with its name, which a retry overwrites. The block
    begins at `offset` of its file; several blocks can begin on the same line.
    """
    file, line = zlib.crc32(letters[0].file.encode()), letters[0].line
    _write_file(folder, f"part-{file:08x}-{line:012d}-{offset:012d}", letters)


def write_late(
    folder: str, shard: int, refused: Mapping[str, pa.Table], step: str = "late"
) -> None:
    """Writes the letters of records that a rule rejected after parsing.

    The name of the file consists of the step and the shard, so that a retry overwrites it. There is
    no file if there are no records.

    Args:
        folder: Folder or URL of the table's dead letters.
        shard: Number of the shard.
        refused: Records by reason, with the columns ORIGIN and, optionally, DETAIL.
        step: Name of the step that rejected the records.
    """
    if any(table.num_rows for table in refused.values()):
        _write_file(folder, f"{step}-{shard:05d}", _iterate_letters(refused))


def find_example(folder: str, reason: str) -> str:
    """Describes the first letter with `reason`; returns "" if there is none."""
    for path in _list_paths(folder):
        with FileSystems.open(path) as handle:
            for line in handle:
                letter = json.loads(line)
                if letter["reason"] == reason:
                    return _summarize(letter)
    return ""


def _list_paths(folder: str) -> list[str]:
    (match,) = FileSystems.match([FileSystems.join(plain_path.link(folder), "*.jsonl")])
    return sorted(file.path for file in match.metadata_list)


def _summarize(letter: dict[str, Any]) -> str:
    detail = f": {letter['detail']}" if letter["detail"] else ""
    raw = f", which holds {format_excerpt(letter['raw'])}" if letter["raw"] else ""
    return f"line {letter['line']} of {letter['file']}{raw}{detail}"


def _iterate_letters(refused: Mapping[str, pa.Table]) -> Iterator[DeadLetter]:
    for reason, table in refused.items():
        columns = [name for name in (*ORIGIN, DETAIL) if name in table.column_names]
        for batch in table.select(columns).to_batches(_RECORDS_AT_ONCE):
            for file, line, group, raw, *detail in zip(*batch.to_pydict().values(), strict=True):
                yield DeadLetter(file, line, reason, raw, group, *detail)


def _write_file(folder: str, name: str, letters: Iterable[DeadLetter]) -> None:
    with FileSystems.create(FileSystems.join(folder, f"{name}.jsonl")) as handle:
        for letter in letters:
            handle.write(json.dumps(letter._asdict()).encode() + b"\n")
