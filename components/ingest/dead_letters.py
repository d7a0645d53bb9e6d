"""Rejected records, kept as JSON lines: file, line, reason, raw."""

import json
import zlib

from apache_beam.io.filesystems import FileSystems

from components.ingest.rejection import Rejected


def prepare(rejected_dir: str, table: str) -> str:
    """Makes the table's folder, empty: letters of an earlier run would look like this one's."""
    folder = FileSystems.join(rejected_dir, table)
    if FileSystems.exists(folder):
        FileSystems.delete([folder])
    FileSystems.mkdirs(folder)
    return folder


def write(folder: str, first_line: int, letters: list[Rejected]) -> None:
    """Writes the letters of one block, in a file named after it, so that a retry overwrites."""
    source = zlib.crc32(letters[0].file.encode())
    path = FileSystems.join(folder, f"part-{source:08x}-{first_line:012d}.jsonl")
    with FileSystems.create(path) as handle:
        for letter in letters:
            handle.write(json.dumps(letter._asdict()).encode() + b"\n")
