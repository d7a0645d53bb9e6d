"""Origin of a pushed version, and the data needed to query it again, stored in its SavedModel.

`<serving dir>/recommender/<version>/assets.extra/` has `origin.json`, `candidates/` (an artifact of
`schema.candidates`) and `index.json` (the measurements of its index). Servers ignore these files.
"""

import json
import pathlib
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from schema.base import StrictModel
from schema.errors import TandemError
from schema.recommend import Repeats, Share
from schema.signatures import RECOMMENDER
from serving.versions.local import LocalVersionStore
from serving.versions.store import open_version_store

EXTRA_FOLDER = "assets.extra"
ORIGIN_FILE = "origin.json"
CANDIDATES_FOLDER = "candidates"
_INDEX = "index.json"


class ForcedPush(StrictModel):
    """Who pushed models that were not blessed, and why."""

    who: str
    why: str
    at: str
    """ISO 8601, UTC."""


class RunIdentity(StrictModel):
    """Identity of a run."""

    pipeline: str
    """Name in the configuration."""
    fingerprint: str
    """Fingerprint of configuration and data; "" if the content of the data is unknown."""
    seed: int


class ModelEvaluation(StrictModel):
    """Properties of the evaluated models that are needed to query them again."""

    order: str
    """Stage that orders the final lists: `retrieval` or `ranking`."""
    history_length: int
    """Number of a user's latest events that the query model reads."""
    ranking_candidates: int
    """Number of items that retrieval passes to ranking."""
    learned_until: int
    """Time of the latest training event; seconds since epoch, UTC."""
    judged_against: str
    """Version to which the models were compared in evaluation, "" if none was pushed."""
    repeats: Repeats = "exclude"
    """Whether its lists hold items of the user's history."""
    diversity: Share = 0.0
    """Default diversity of its final lists."""
    calibration: Share = 0.0
    """How closely the categories of its final lists follow those of the history."""


class Origin(StrictModel):
    """Origin of a version."""

    made_by: RunIdentity
    evaluated: ModelEvaluation
    pushed_at: str
    """ISO 8601, UTC."""
    forced: ForcedPush | None
    """Set if the models were not blessed and the push was forced."""
    refreshed_from: str = ""
    """Version with the same models but other items or popularity; "" if a run pushed this version.
    """


def find_newest_version(serving_dir: pathlib.Path | str) -> str:
    """Latest version in a folder or at a URL, "" if there is none."""
    version = open_version_store(serving_dir).find_latest(RECOMMENDER)
    return "" if version is None else str(version)


def get_extra_folder(serving_dir: pathlib.Path, version: str) -> pathlib.Path:
    """Folder of the files of this module in a version."""
    return LocalVersionStore(serving_dir).get_folder(RECOMMENDER, int(version)) / EXTRA_FOLDER


def read_version_origin(serving_dir: pathlib.Path | str, version: str) -> Origin:
    """Origin of a version in a folder or at a URL; raises the errors of `read_origin`."""
    store, number = open_version_store(serving_dir), int(version)
    name = f"{EXTRA_FOLDER}/{ORIGIN_FILE}"
    return _parse_origin(
        lambda: store.read_file(RECOMMENDER, number, name),
        f"{store.locate(RECOMMENDER, number)}/{name}",
    )


def read_origin(path: pathlib.Path) -> Origin:
    """Reads an origin from a file; raises TandemError if it is missing or invalid."""
    return _parse_origin(path.read_bytes, str(path))


def _parse_origin(content: Callable[[], bytes], where: str) -> Origin:
    try:
        return Origin.model_validate_json(content())
    except FileNotFoundError:
        received = "none"
    except ValidationError as error:
        received = f"{error.error_count()} fields that do not fit, {error.errors()[0]['msg']}"
    raise TandemError(
        f"expected the origin of a pushed version at {where}, received {received}; "
        "push it again with this version of Tandem"
    )


def write_origin(origin: Origin, path: pathlib.Path) -> None:
    """Writes an origin to a file, for `read_origin`."""
    path.write_text(origin.model_dump_json(indent=1) + "\n", encoding="utf-8")


def write_index_measurements(measured: dict[str, Any], model: pathlib.Path) -> None:
    """Writes the result of `serving.index.build.measure_index` to the folder of a recommender."""
    folder = model / EXTRA_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _INDEX).write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def read_index_measurements(model: pathlib.Path) -> dict[str, Any]:
    """Reads the index measurements; empty if an older release of Tandem pushed the version."""
    path = model / EXTRA_FOLDER / _INDEX
    return json.loads(path.read_bytes()) if path.exists() else {}
