"""docs/CONFIG.md, written from the configuration types, so that it cannot say anything else."""

import json
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import annotated_types
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pipeline.config.config import Config
from schema.features import Feature

WORDS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    AwareDatetime: "moment with a zone",
}

MINIMAL = """\
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

One TOML file says where your logs lie, what their columns mean, and how the models learn. This is a
whole one, all that Tandem needs to begin; each other key has a default:

```toml
{MINIMAL}```

Save it as `shop.toml` beside the two files, then:

    tandem run --config shop.toml --root runs/shop

Paths of tables are relative to `--data` or, without it, to the configuration file. A key that is
not on this page is refused, by name, before anything runs; so is a value that does not fit its
type, and a column that the files do not have.

**Try another value without editing the file.** `--set section.key=value`, as often as you like,
replaces or adds one key. The value is read as TOML; what is no TOML is taken as text:

    tandem run --config shop.toml --root runs/shop --set name=shop-b --set retrieval.epochs=3 \\
        --set ranking.hidden_units='[128, 64]' --set data.interactions.delimiter='"\\t"'

*required* under "default" means that the file must have the key (if it has the section at all);
*none* means that the key may be left out and then nothing is assumed. This page is generated from
the types that check the file: `tandem config` prints it, `make fix` writes it.
"""

KINDS_INTRODUCTION = """\
## Feature kinds

Features are declared by name under the table that they come from: `[features.items]`,
`[features.users]`, `[features.context]`. The name is the column's, unless `column` says otherwise:

```toml
[features.items]
genres = { kind = "set", separator = "|" }
released = { kind = "timestamp", column = "release_ts" }
```
"""


class Section(NamedTuple):
    """A table of the file: its dotted name ("" at the top), what its absence means, its type."""

    name: str
    without: str
    type: type[BaseModel]


def render() -> str:
    """The whole page as Markdown."""
    parts = [INTRODUCTION, KINDS_INTRODUCTION]
    parts += [_kind(kind) for kind in _members(Feature)]
    parts += [_section(section) for section in _sections(Section("", "", Config))]
    return "\n".join(parts)


def _sections(section: Section) -> Iterator[Section]:
    """`section` and all below it, in the order of declaration."""
    yield section
    for key, field in section.type.model_fields.items():
        name = f"{section.name}.{key}".lstrip(".")
        for model in _models(field.annotation):
            below = _below(name, get_origin(field.annotation))
            without = field.description or "" if field.default is None else ""
            yield from _sections(Section(below, without, model))


def _below(name: str, container: Any) -> str:
    """The section's name where it stands alone, by name in a dict, or repeated in a list."""
    if container is dict:
        return f"{name}.<name>"
    return f"[{name}]" if container is list else name


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The type of a section of its own; none for a feature, which is one of several kinds."""
    if get_origin(annotation) in (dict, list):
        annotation = get_args(annotation)[-1]
    models = [m for m in _members(annotation) if isinstance(m, type) and issubclass(m, BaseModel)]
    return models if len(models) == 1 else []


def _members(annotation: Any) -> list[Any]:
    """What a union may be, without None; the annotation itself where it is no union."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        return [member for member in get_args(annotation) if member is not type(None)]
    return [annotation]


def _section(section: Section) -> str:
    title = f"## `[{section.name}]`" if section.name else "## At the top"
    sentences = dict.fromkeys([_sentence(section.type), section.without])
    keys = {k: f for k, f in section.type.model_fields.items() if not _models(f.annotation)}
    return f"{title}\n\n{' '.join(sentences).strip()}\n" + ("\n" + _table(keys) if keys else "")


def _kind(kind: type[BaseModel]) -> str:
    (name,) = get_args(kind.model_fields["kind"].annotation)
    keys = {k: f for k, f in kind.model_fields.items() if k != "kind"}
    return f'### `kind = "{name}"`\n\n{_sentence(kind)}\n\n{_table(keys)}'


def _sentence(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _table(fields: dict[str, FieldInfo]) -> str:
    rows = ["| key | type | default | what it is |", "| --- | --- | --- | --- |"]
    for key, field in fields.items():
        cells = [f"`{key}`", _type(field.annotation, field.metadata), _default(field)]
        cells.append(" ".join((field.description or "").split()))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _default(field: FieldInfo) -> str:
    """The default in TOML's own syntax, which JSON's is for text, numbers, booleans and lists."""
    default = field.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return "*required*"
    if default is None or default == {}:
        return "*none*"
    return f"`{json.dumps(default)}`"


def _type(annotation: Any, metadata: list[Any]) -> str:
    """The type in words: `whole number, at least 1`."""
    if get_origin(annotation) is Annotated:
        inner, *own = get_args(annotation)
        return _type(inner, [*_constraints(own), *metadata])
    (member, *others) = _members(annotation)
    if others and set(_members(annotation)) <= set(WORDS):
        return " or ".join(WORDS[kind] for kind in _members(annotation))
    if others:
        return "a [feature](#feature-kinds)"
    if get_origin(member) is Annotated:  # one that may be left out
        return _type(member, metadata)
    return ", ".join([_word(member), *filter(None, map(_limit, metadata))])


def _constraints(metadata: list[Any]) -> list[Any]:
    """The single constraints that pydantic's Field carries."""
    return [
        constraint
        for part in metadata
        for constraint in (part.metadata if isinstance(part, FieldInfo) else [part])
    ]


def _word(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(f"`{json.dumps(value)}`" for value in get_args(annotation))
    if get_origin(annotation) is list:
        return f"list of {_type(get_args(annotation)[0], [])}"
    if get_origin(annotation) is dict:
        return f"{_type(get_args(annotation)[1], [])} by name"
    return WORDS[annotation]


def _limit(constraint: Any) -> str:
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
