"""Where a pushed version comes from, and what querying it again takes: beside its SavedModel.

`<serving dir>/recommender/<version>/assets.extra/` holds `origin.json`, `candidates/`, an artifact
of `schema.candidates`, and `index.json`, what was measured of its index. Servers leave files there
alone.
"""

import json
import pathlib
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from schema.base import StrictModel
from schema.errors import TandemError
from schema.signatures import RECOMMENDER
from serving.versions.local import LocalVersionStore
from serving.versions.store import open_version_store

EXTRA_FOLDER = "assets.extra"
ORIGIN_FILE = "origin.json"
CANDIDATES_FOLDER = "candidates"
_INDEX = "index.json"


class ForcedPush(StrictModel):
    """Who had models pushed that were not blessed, and why."""

    who: str
    why: str
    at: str
    """ISO 8601, UTC."""


class RunIdentity(StrictModel):
    """What tells one run from another."""

    pipeline: str
    """Name in the configuration."""
    fingerprint: str
    """Of configuration and data; "" where the content of the data is unknown."""
    seed: int


class ModelEvaluation(StrictModel):
    """What evaluation knows of the models, and what querying them again takes."""

    order: str
    """Whose order the final lists are in: `retrieval` or `ranking`."""
    history_length: int
    """Latest events of a user that the query model reads."""
    popularity_days: float
    """Window, in days, of the popularity in the candidates' vectors."""
    ranking_candidates: int
    """Items that go from retrieval to ranking."""
    learned_until: int
    """Latest event that the models learned from; seconds since epoch, UTC."""
    judged_against: str
    """Version that was pushed when these were evaluated, "" where none was."""


class Origin(StrictModel):
    """What a version was made of."""

    made_by: RunIdentity
    evaluated: ModelEvaluation
    pushed_at: str
    """ISO 8601, UTC."""
    forced: ForcedPush | None
    """Not blessed, and pushed all the same."""
    refreshed_from: str = ""
    """Version with the same models and other items or another popularity, "" for one that a run has
    pushed."""


def find_newest_version(serving_dir: pathlib.Path | str) -> str:
    """The version that is pushed now to a folder or a URL, "" where none is."""
    version = open_version_store(serving_dir).find_latest(RECOMMENDER)
    return "" if version is None else str(version)


def get_extra_folder(serving_dir: pathlib.Path, version: str) -> pathlib.Path:
    """Where the files of this module lie."""
    return LocalVersionStore(serving_dir).get_folder(RECOMMENDER, int(version)) / EXTRA_FOLDER


def read_version_origin(serving_dir: pathlib.Path | str, version: str) -> Origin:
    """Of a version in a folder or at a URL; raises as `read_origin`."""
    store, number = open_version_store(serving_dir), int(version)
    name = f"{EXTRA_FOLDER}/{ORIGIN_FILE}"
    return _parse_origin(
        lambda: store.read_file(RECOMMENDER, number, name),
        f"{store.locate(RECOMMENDER, number)}/{name}",
    )


def read_origin(path: pathlib.Path) -> Origin:
    """The origin in a file; TandemError where it is not there or not to be understood."""
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
    """Writes what `read_origin` reads."""
    path.write_text(origin.model_dump_json(indent=1) + "\n", encoding="utf-8")


def write_index_measurements(measured: dict[str, Any], model: pathlib.Path) -> None:
    """Keeps what `serving.index.build.measure_index` found, in the recommender's folder `model`."""
    folder = model / EXTRA_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _INDEX).write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def read_index_measurements(model: pathlib.Path) -> dict[str, Any]:
    """What `write_index_measurements` wrote; empty if an older Tandem pushed the version."""
    path = model / EXTRA_FOLDER / _INDEX
    return json.loads(path.read_bytes()) if path.exists() else {}
