"""What was measured of a version's index, beside the recommender's SavedModel."""

import json
import pathlib
from typing import Any

from serving.versions.origin import EXTRA

_INDEX = "index.json"


def write(measured: dict[str, Any], model: pathlib.Path) -> None:
    """Keeps what `serving.index.build.measure` found, in the recommender's folder `model`."""
    folder = model / EXTRA
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _INDEX).write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def read(model: pathlib.Path) -> dict[str, Any]:
    """What `write` kept; nothing where an older Tandem has pushed the version."""
    path = model / EXTRA / _INDEX
    return json.loads(path.read_bytes()) if path.exists() else {}
