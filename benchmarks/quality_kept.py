"""Results that outlive an interruption."""

import json
import pathlib
from collections.abc import Callable
from typing import Any


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
    making = path.with_suffix(".making")
    making.write_text(json.dumps({"asked": asked, "found": found}, indent=1), encoding="utf-8")
    making.rename(path)
    return found
