"""docs/CONFIG.md, generated from the configuration types."""

import json
import textwrap
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import annotated_types
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pipeline.config.config import Config
from schema.features import Feature
from schema.sources import LATER_TABLES

TYPE_NAMES = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    AwareDatetime: "moment with a zone",
}

WIDTH = 100
"""Columns of the page."""

MINIMAL_CONFIG = """\
name = "shop"
[data.interactions]
path = "events.csv"          # columns user_id, item_id, timestamp (seconds)
[data.items]
path = "items.csv"           # columns item_id, name, tags
title = "name"
[features.items]
name = { kind = "text" }
tags = { kind = "set", separator = "|" }
"""

INTRODUCTION = f"""\
# Configuration

One TOML file states where your logs are, what their columns mean, and how the models are trained.
This is a complete one; every other key has a default or is optional:

```toml
{MINIMAL_CONFIG}```

Save it as `shop.toml` in the folder of the two files, then run:

    tandem run --config shop.toml --root runs/shop

Paths of tables are relative to `--data` or, without it, to the folder of the configuration file.
Before anything runs, Tandem rejects a key that is not on this page, a value that does not fit its
type, and a column that the files do not have, each by name.

**Try another value without editing the file.** `--set section.key=value`, which may be repeated,
replaces or adds one key. The value is parsed as TOML, and as plain text if it is not valid TOML:

    tandem run --config shop.toml --root runs/shop --set name=shop-b --set retrieval.epochs=3 \\
        --set ranking.hidden_units='[128, 64]' --set data.interactions.delimiter='"\\t"'

In an array of tables, such as `[[data.interactions]]`, it does so in all tables.

Each key is listed with its type and default. A *required* key must be in the file if its section
is; an optional one has no default. This page is generated from the types that validate the file:
`tandem config` prints it, and `make fix` writes it.
"""

KINDS_INTRODUCTION = """\
## Feature kinds

Features are declared by name under the table that they come from: `[features.items]`,
`[features.users]`, `[features.context]`. The name is also that of the column, unless `column` is
set:

```toml
[features.items]
genres = { kind = "set", separator = "|" }
released = { kind = "timestamp", column = "release_ts" }
```
"""


class Section(NamedTuple):
    """A table of the file: its dotted name ("" at the top), what its absence means, its type."""

    name: str
    absence: str
    type: type[BaseModel]


def render_reference() -> str:
    """The whole page as Markdown."""
    parts = [INTRODUCTION, KINDS_INTRODUCTION]
    parts += [_render_kind(kind) for kind in _list_members(Feature)]
    parts += [_render_section(section) for section in _iterate_sections(Section("", "", Config))]
    return "\n".join(parts)


def _iterate_sections(section: Section) -> Iterator[Section]:
    """`section` and all sections below it, in the order of declaration."""
    yield section
    for key, field in section.type.model_fields.items():
        if key == LATER_TABLES:  # written as an array of the section before
            continue
        name = f"{section.name}.{key}".lstrip(".")
        for model in _find_models(field.annotation):
            below = _name_section(name, get_origin(field.annotation))
            absence = field.description or "" if field.default is None else ""
            yield from _iterate_sections(Section(below, absence, model))


def _name_section(name: str, container: Any) -> str:
    """The section's name: plain, `<name>` appended for a dict, in brackets for a list."""
    if container is dict:
        return f"{name}.<name>"
    return f"[{name}]" if container is list else name


def _find_models(annotation: Any) -> list[type[BaseModel]]:
    """The type of a section; none for a feature, which is one of several kinds."""
    if get_origin(annotation) in (dict, list):
        annotation = get_args(annotation)[-1]
    models = [
        m for m in _list_members(annotation) if isinstance(m, type) and issubclass(m, BaseModel)
    ]
    return models if len(models) == 1 else []


def _list_members(annotation: Any) -> list[Any]:
    """The members of a union, without None; the annotation itself if it is no union."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        return [member for member in get_args(annotation) if member is not type(None)]
    return [annotation]


def _render_section(section: Section) -> str:
    title = f"## `[{section.name}]`" if section.name else "## At the top"
    sentences = dict.fromkeys([section.type.__doc__ or "", section.absence])
    keys = {k: f for k, f in section.type.model_fields.items() if not _find_models(f.annotation)}
    return f"{title}\n\n{_wrap(' '.join(sentences))}\n" + (
        "\n" + _render_keys(keys) if keys else ""
    )


def _render_kind(kind: type[BaseModel]) -> str:
    (name,) = get_args(kind.model_fields["kind"].annotation)
    keys = {k: f for k, f in kind.model_fields.items() if k != "kind"}
    return f'### `kind = "{name}"`\n\n{_wrap(kind.__doc__ or "")}\n\n{_render_keys(keys)}'


def _render_keys(fields: dict[str, FieldInfo]) -> str:
    """A list item per key: its name, type, default and meaning."""
    items = []
    for key, field in fields.items():
        kind = _render_type(field.annotation, field.metadata)
        items.append(
            _wrap(f"- `{key}` ({kind}; {_render_default(field)}): {field.description or ''}", "  ")
        )
    return "\n".join(items) + "\n"


def _wrap(text: str, indent: str = "") -> str:
    """`text` as one paragraph, with `indent` before each line but the first."""
    return textwrap.fill(
        " ".join(text.split()),
        WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _render_default(field: FieldInfo) -> str:
    """The default in TOML, whose text, numbers, booleans and lists are written as in JSON."""
    default = field.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return "*required*"
    if default is None or default == {}:
        return "optional"
    return f"default `{json.dumps(default)}`"


def _render_type(annotation: Any, metadata: list[Any]) -> str:
    """The type in words: `whole number, at least 1`."""
    if get_origin(annotation) is Annotated:
        inner, *own = get_args(annotation)
        return _render_type(inner, [*_list_constraints(own), *metadata])
    (member, *others) = _list_members(annotation)
    if others and all(map(_is_simple, (member, *others))):
        return " or ".join(_render_type(kind, []) for kind in (member, *others))
    if others:
        return "a [feature](#feature-kinds)"
    if get_origin(member) is Annotated:  # an optional one
        return _render_type(member, metadata)
    return ", ".join([_render_member(member), *filter(None, map(_render_limit, metadata))])


def _is_simple(annotation: Any) -> bool:
    return annotation in TYPE_NAMES or get_origin(annotation) in (list, Literal, Annotated)


def _list_constraints(metadata: list[Any]) -> list[Any]:
    """The separate constraints of pydantic's Field."""
    return [
        constraint
        for part in metadata
        for constraint in (part.metadata if isinstance(part, FieldInfo) else [part])
    ]


def _render_member(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(f"`{json.dumps(value)}`" for value in get_args(annotation))
    if get_origin(annotation) is list:
        return f"list of {_render_type(get_args(annotation)[0], [])}"
    if get_origin(annotation) is dict:
        return f"{_render_type(get_args(annotation)[1], [])} by name"
    return TYPE_NAMES[annotation]


def _render_limit(constraint: Any) -> str:
    match constraint:
        case annotated_types.Ge(bound):
            return f"at least {bound}"
        case annotated_types.Gt(bound):
            return f"above {bound}"
        case annotated_types.Le(bound):
            return f"at most {bound}"
        case annotated_types.Lt(bound):
            return f"below {bound}"
        case annotated_types.MinLen(length):
            return f"at least {length} long"
    pattern = getattr(constraint, "pattern", None)
    return f"matching `{pattern}`" if pattern else ""
