"""Results that survive an interruption."""

import json
import pathlib
from collections.abc import Callable
from typing import Any

from schema.storage import atomic


def load_or_make(
    path: pathlib.Path, key: Any, make: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Returns `make()`, or the result in `path` if it was made earlier for the same `key`.

    Result and key must be JSON. `path` is written atomically.
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
