"""The file that `tandem tune` leaves: the user's whole configuration with the best values in it."""

import pathlib
from typing import Any

import tomli_w

from pipeline.config.config import TABLES, read_toml
from schema.errors import UsageError

HEAD = "# Written by `tandem tune`"


def check(out: pathlib.Path) -> None:
    """UsageError, before any trial, where `out` cannot be written or is a file of someone's own."""
    there = out.exists()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("a+", encoding="utf-8") as file:
            file.seek(0)
            text = file.read()
        if not there:
            out.unlink()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"expected to write the tuned configuration to {out}, received: {error}; "
            "give another file with --out"
        ) from error
    if text and not text.startswith(HEAD):
        raise UsageError(
            f"expected a new file or one that `tandem tune` wrote at {out}, found another one; "
            "move it or give another file with --out"
        )


def write(
    out: pathlib.Path, path: pathlib.Path, overrides: list[str], best: dict[str, Any], said: str
) -> None:
    """`path` with the overrides and the `best` values of [retrieval], after `said` as a comment.

    Comments of `path` are not carried over, its relative paths of curated schemas are made
    absolute.
    """
    found = read_toml(path, overrides)
    found["retrieval"] = found.get("retrieval", {}) | best
    curated = found.get("curated", {})
    for table in TABLES:
        if table in curated:
            curated[table] = str((path.parent / curated[table]).absolute())
    unfinished = out.with_name(f"{out.name}.tmp")
    unfinished.write_text(f"{HEAD}: {said}\n{tomli_w.dumps(found)}", encoding="utf-8")
    unfinished.rename(out)
