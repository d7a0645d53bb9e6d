"""Results that outlive an interruption."""

import json
import pathlib
from collections.abc import Callable
from typing import Any

from schema.storage import atomic


def load_or_make(
    path: pathlib.Path, key: Any, make: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """What `make()` gives, from `path` where it has been made for the same `key` before.

    Both must be JSON. `path` is written whole or not at all.
    """
    key = json.loads(json.dumps(key))
    if path.exists():
        records = json.loads(path.read_text(encoding="utf-8"))
        if records["asked"] == key:
            return records["found"]
    result = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(path, json.dumps({"asked": key, "found": result}, indent=1))
    return result
