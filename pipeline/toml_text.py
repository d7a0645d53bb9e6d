"""Values as TOML: what tomli, which only reads, reads back is what was written."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def written(table: Mapping[str, Any]) -> str:
    """A document of texts, numbers, booleans, lists and tables; dates are not taken (TypeError).

    Tables of the first two levels are sections, those below stand in one line.
    """
    return "".join(f"{line}\n" for line in _lines(table, [])).lstrip("\n")


def _lines(table: Mapping[str, Any], path: list[str]) -> Iterator[str]:
    sections = [key for key, value in table.items() if isinstance(value, dict) and len(path) < 2]
    own = [key for key in table if key not in sections]
    if path and (own or not sections):
        yield f"\n[{'.'.join(map(_key, path))}]"
    for key in own:
        yield f"{_key(key)} = {_value(table[key])}"
    for key in sections:
        yield from _lines(table[key], [*path, key])


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)  # exponents, inf and nan are written alike in Python and TOML
        case str():
            return _text(value)
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return f"{{ {', '.join(f'{_key(k)} = {_value(v)}' for k, v in value.items())} }}"
    raise TypeError(f"expected what a configuration holds, received {value!r}; convert it before")


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    """JSON escapes as TOML does, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
