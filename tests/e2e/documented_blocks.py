"""TOML blocks of README and docs/, and how partial ones become complete configurations."""

import copy
import pathlib
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import tomli

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))


class Block(NamedTuple):
    """One block between ```toml and ```."""

    location: str
    """Document and line of its start."""
    text: str

    @property
    def table(self) -> dict[str, Any]:
        """The parsed TOML."""
        return tomli.loads(self.text)

    @property
    def is_complete(self) -> bool:
        """Whether it is a complete configuration."""
        return "name" in self.table


def find_blocks() -> list[Block]:
    """All blocks, in order of documents and lines."""
    blocks = []
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        for match in re.finditer(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, match.start()) + 1
            blocks.append(Block(f"{document}:{line}", match[1]))
    return blocks


def merge(base: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """`base` with all keys of `part`, which takes precedence."""
    result = copy.deepcopy(base)
    for key, value in part.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merge(result[key], value) if both else value
    return result


def group_compatible(blocks: Iterable[Block]) -> list[list[Block]]:
    """A small number of groups of blocks without contradictions: each group can be one run."""
    groups: list[list[Block]] = []
    for block in blocks:
        for group in groups:
            if not any(_contradict(other.table, block.table) for other in group):
                group.append(block)
                break
        else:
            groups.append([block])
    return groups


def _contradict(one: dict[str, Any], other: dict[str, Any]) -> bool:
    for key in one.keys() & other.keys():
        if isinstance(one[key], dict) and isinstance(other[key], dict):
            if _contradict(one[key], other[key]):
                return True
        elif one[key] != other[key]:
            return True
    return False
