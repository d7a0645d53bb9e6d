"""Results that outlive an interruption."""

import json
import pathlib
from collections.abc import Callable
from typing import Any

from schema.storage import atomic


def once(path: pathlib.Path, asked: Any, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `make()` gives, from `path` where it has been made for the same `asked` before.

    Both must be JSON. `path` is written whole or not at all.
    """
    asked = json.loads(json.dumps(asked))
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["asked"] == asked:
            return kept["found"]
    found = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(path, json.dumps({"asked": asked, "found": found}, indent=1))
    return found
