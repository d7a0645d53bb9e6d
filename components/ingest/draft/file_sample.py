"""The first records of a file of any supported format, and the keys by which it is read."""

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from components.ingest.draft.column import Column
from components.ingest.draft.encoding import detect_encoding, read_lines
from components.ingest.draft.header import name_columns
from components.ingest.draft.text_form import TextForm, detect_text_form, split_records
from components.ingest.read import parquet_file
from components.ingest.read.format_detection import (
    choose_object_format,
    is_parquet,
    looks_like_json,
    require_format,
)
from components.ingest.read.nested.extended_json import unwrap_objects
from components.ingest.read.objects.object_sample import sample_objects
from schema.errors import TandemError
from schema.sources import Source

SAMPLE_RECORDS = 10_000
_KEY_VALUE = {"key", "value"}
_TOKENS = re.compile(r"\S+( \S+)+ *")
_DEEPEST = 4
_ITEM_LINE = re.compile(r"\d+:")
"""As in the files of the Netflix Prize."""


class FileSample(NamedTuple):
    """What a file holds."""

    path: str
    options: dict[str, Any]
    """Keys of a table that differ from their defaults."""
    columns: dict[str, Column]
    """By name; for nested records by path."""
    has_names: bool = True
    """Whether the names are the file's; otherwise they are in `options`."""
    doubts: tuple[str, ...] = ()

    @property
    def is_sequences(self) -> bool:
        """Whether each line is a user with their items."""
        return self.options.get("format") in ("sequences", "lists")


def sample_file(path: str) -> FileSample | str:
    """Reads the first records; returns a reason where the file is not one of records."""
    if is_parquet(path):
        return _sample_parquet(path)
    encoding = detect_encoding(path)
    try:
        require_format(path, Source(path=path, encoding=encoding))
    except TandemError as error:
        return str(error).removeprefix(f"{path}: ").partition("received ")[2] or str(error)
    lines = read_lines(path, encoding)
    if not lines:
        return "an empty file"
    if looks_like_json(lines[0]):
        return _sample_objects(path, encoding, lines[0])
    if _are_sequences(lines):
        kind = "lists" if any(" " not in line.strip() for line in lines) else "sequences"
        return FileSample(path, {"format": kind}, {}, doubts=_doubt_sequences(lines))
    if _ITEM_LINE.fullmatch(lines[0].strip()):
        return (
            f"a line such as {lines[0].strip()} names the item of the lines below it; write the "
            "item into each line first"
        )
    form = detect_text_form(path)
    if form is None:
        return "text without a delimiter that divides its lines evenly"
    return _sample_text(path, form)


def _sample_parquet(path: str) -> FileSample | str:
    if parquet_file.read_schema(path) is None:
        return "damaged Parquet"
    batches = itertools.chain.from_iterable(
        parquet_file.read_batches(path, group, None)
        for group in range(len(parquet_file.count_group_rows(path)))
    )
    first = next(batches, None)
    rows = [] if first is None else first.slice(0, SAMPLE_RECORDS).to_pylist()
    return FileSample(path, {"format": "parquet"}, _collect_columns(rows))


def _sample_objects(path: str, encoding: str, line: str) -> FileSample | str:
    kind = choose_object_format(line)
    options = {"format": kind} | ({} if encoding == "utf-8" else {"encoding": encoding})
    _, objects = sample_objects([path], Source.model_validate({"path": path, **options}))
    if not objects:
        return f"{kind} without objects"
    return FileSample(path, options, _collect_columns(objects))


def _sample_text(path: str, form: TextForm) -> FileSample:
    lines = read_lines(path, form.encoding, SAMPLE_RECORDS)
    records = [r for r in split_records(lines, form.dialect) if len(r) == form.fields]
    header = name_columns(records)
    options = form.options | ({} if header.has_names else {"columns": header.names})
    rows = records[1:] if header.has_names else records
    columns = {
        name: Column(name, [row[at] for row in rows]) for at, name in enumerate(header.names)
    }
    return FileSample(path, options, columns, header.has_names, (*form.doubts, *header.doubts))


def _collect_columns(objects: Sequence[dict[str, Any]]) -> dict[str, Column]:
    flat = [dict(_flatten(record)) for record in objects]
    names = dict.fromkeys(itertools.chain.from_iterable(flat))
    return {name: Column(name, _unwrap([row.get(name) for row in flat])) for name in names}


def _unwrap(values: list[Any]) -> list[Any]:
    """Values of Extended JSON instead of its objects."""
    unwrapped = unwrap_objects(values)
    return unwrapped if isinstance(unwrapped, list) else unwrapped.to_pylist()


def _flatten(value: dict[str, Any], prefix: str = "", depth: int = 1) -> Iterable[tuple[str, Any]]:
    """Yields paths and values: `user.id` of objects, `items[0].id` and `items[].id` of lists of
    objects. Extended JSON and pairs of key and value are not divided.
    """
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if (
            isinstance(inner, dict)
            and not any(k.startswith("$") for k in inner)
            and depth < _DEEPEST
        ):
            yield from _flatten(inner, f"{name}.", depth + 1)
        elif isinstance(inner, list) and inner and all(isinstance(each, dict) for each in inner):
            if not inner[0].keys() >= _KEY_VALUE and depth < _DEEPEST:
                yield from _flatten_list(inner, name, depth)
        else:
            yield name, inner


def _flatten_list(
    objects: list[dict[str, Any]], name: str, depth: int
) -> Iterable[tuple[str, Any]]:
    yield from _flatten(objects[0], f"{name}[0].", depth + 1)
    keys = dict.fromkeys(key for each in objects for key in each)
    for key in keys:
        yield f"{name}[].{key}", [each[key] for each in objects if each.get(key) is not None]


def _are_sequences(lines: Sequence[str]) -> bool:
    tokens = [line.split() for line in lines]
    numbers = sum(all(map(str.isdecimal, each)) for each in tokens)
    filled = [line for line in lines if " " in line.strip()]
    fits = all(map(_TOKENS.fullmatch, filled)) and 2 * len(filled) > len(lines)
    return fits and numbers >= 0.9 * len(lines) and sum(map(len, tokens)) > 2 * len(lines)


def _doubt_sequences(lines: Sequence[str]) -> tuple[str, ...]:
    if len({len(line.split()) for line in lines}) == 1 and len(lines) > 1:
        return ("all lines have equally many items: are these sampled negatives, not sequences?",)
    return ()
