"""The text of a drafted configuration: TOML with comments on what is unsure."""

import pathlib
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tomli_w

from components.ingest.draft import Draft, TableDraft

_WIDTH = 98
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def render_draft(
    name: str,
    data: pathlib.Path,
    draft: Draft,
    missing: str = "",
    recipes: Sequence[str] = (),
) -> str:
    """Returns the TOML.

    Args:
        name: Name of the pipeline.
        data: Folder of the files.
        draft: The tables, features and labels.
        missing: Why the files do not fit the configuration yet.
        recipes: Recipes that fit the files.
    """
    lines = [
        *_comment(f"Drafted by `tandem init` from the files in {data}"),
        *_comment("Check each line, above all what is unsure; docs/CONFIG.md describes every key."),
        *(_comment(f"The files also fit a complete recipe: tandem recipes {' or '.join(recipes)}"))
        * bool(recipes),
        *(_comment(f"missing: {missing}") if missing else []),
        f"name = {_format_value(name)}",
    ]
    kinds = [table.kind for table in draft.tables]
    for table in draft.tables:
        lines += ["", *_render_table(table, is_array=kinds.count(table.kind) > 1)]
    for table in draft.more_events if draft.has_times else ():
        lines += ["", *_render_second_log(table)]
    for table in draft.tables:
        lines += _render_features(table)
    lines += _render_labels(draft)
    if draft.split != "clock":
        lines += ["", "[split]", f"kind = {_format_value(draft.split)}"]
    others = [f"{path}: {what}" for path, what in draft.others.items()]
    if others:
        lines += ["", *_comment("Not read: " + "; ".join(others))]
    return "\n".join(lines) + "\n"


def _render_table(table: TableDraft, is_array: bool) -> Iterator[str]:
    if table.columns:
        yield from _comment(f"columns: {', '.join(table.columns)}")
    for doubt in table.doubts:
        yield from _comment(f"unsure: {doubt}")
    yield f"[[data.{table.kind}]]" if is_array else f"[data.{table.kind}]"
    yield from _render_keys(table.keys)


def _render_second_log(table: TableDraft) -> Iterator[str]:
    yield from _comment(
        f"unsure: {table.keys['path']} has users and items too. If they are further events, change "
        "[data.interactions] above to [[data.interactions]], and uncomment these lines:"
    )
    yield "# [[data.interactions]]"
    for line in _render_keys(table.keys):
        yield f"# {line}"


def _render_features(table: TableDraft) -> list[str]:
    chosen, held_back = table.features
    lines = [f"{name} = {_format_value(keys)}" for name, keys in chosen.items()]
    lines += [f"# {name} = {_format_value(keys)}" for name, keys in held_back.items()]
    return ["", f"[features.{table.kind}]", *lines] if lines else []


def _render_labels(draft: Draft) -> list[str]:
    lines = [f"{name} = {_format_value(keys)}" for name, keys in draft.labels.items()]
    lines = ["", "[labels.ranking]", *lines] if lines else []
    for column, values in draft.events.items():
        lines += ["", "# [labels.events]", f"# column = {_format_value(column)}"]
        lines += [f"# positive = {_format_value(dict.fromkeys(values, 1))}"]
    return lines


def _render_keys(keys: Mapping[str, Any]) -> Iterator[str]:
    for key, value in keys.items():
        line = f"{key} = {_format_value(value)}"
        if len(line) > _WIDTH and isinstance(value, list):
            inner = ", ".join(map(_format_value, value)) + ","
            yield f"{key} = ["
            yield from textwrap.wrap(inner, _WIDTH - 4, initial_indent="    ",
                                     subsequent_indent="    ", break_long_words=False)  # fmt: skip
            yield "]"
        else:
            yield line


def _format_value(value: Any) -> str:
    if isinstance(value, dict):
        pairs = [f"{_format_key(key)} = {_format_value(each)}" for key, each in value.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_format_value, value))}]"
    text = tomli_w.dumps({"x": value}).removeprefix("x = ").removesuffix("\n")
    return text.replace("\t", "\\t")


def _format_key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _format_value(key)


def _comment(text: str) -> list[str]:
    plain = re.sub(r"[\x00-\x1f\x7f]", " ", text)
    wrap = textwrap.TextWrapper(
        _WIDTH, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False
    )
    return wrap.wrap(plain)
