"""Where a pushed version comes from, and what asking it again takes: beside its SavedModel.

`<serving dir>/recommender/<version>/assets.extra/` holds `origin.json` and `candidates/`, an
artifact of `schema.candidates`. Servers leave files there alone.
"""

import pathlib
from collections.abc import Callable

from pydantic import ValidationError

from schema.base import StrictModel
from schema.errors import TandemError
from schema.signatures import RECOMMENDER
from schema.storage import object_store
from schema.storage.locations import is_remote
from serving.versions import local as local_versions
from serving.versions import remote as remote_versions

EXTRA = "assets.extra"
ORIGIN = "origin.json"
CANDIDATES = "candidates"


class Forced(StrictModel):
    """Who had models pushed that were not blessed, and why."""

    who: str
    why: str
    at: str
    """ISO 8601, UTC."""


class Run(StrictModel):
    """What tells one run from another."""

    pipeline: str
    """Name in the configuration."""
    fingerprint: str
    """Of configuration and data; "" where the content of the data is unknown."""
    seed: int


class Evaluated(StrictModel):
    """What evaluation knows of the models, and takes to ask them again."""

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

    made_by: Run
    evaluated: Evaluated
    pushed_at: str
    """ISO 8601, UTC."""
    forced: Forced | None
    """Not blessed, and pushed all the same."""
    refreshed_from: str = ""
    """Version with the same models and other items or another popularity, "" for one that a run has
    pushed."""


def newest(serving_dir: pathlib.Path | str) -> str:
    """The version that is pushed now to a folder or a URL, "" where none is."""
    if is_remote(str(serving_dir)):
        version = remote_versions.latest(str(serving_dir), RECOMMENDER)
    else:
        version = local_versions.latest(pathlib.Path(serving_dir), RECOMMENDER)
    return "" if version is None else str(version)


def folder(serving_dir: pathlib.Path, version: str) -> pathlib.Path:
    """Where the files of this module lie."""
    return local_versions.folder_of(serving_dir, RECOMMENDER, int(version)) / EXTRA


def of_version(serving_dir: pathlib.Path | str, version: str) -> Origin:
    """Of a version in a folder or at a URL; raises as `read`."""
    if not is_remote(str(serving_dir)):
        return read(folder(pathlib.Path(serving_dir), version) / ORIGIN)
    stored = remote_versions.folder_of(str(serving_dir), RECOMMENDER, int(version))
    uri = f"{stored}/{EXTRA}/{ORIGIN}"
    return _parsed(lambda: object_store.read(uri), uri)


def read(path: pathlib.Path) -> Origin:
    """The origin in a file; TandemError where it is not there or not to be understood."""
    return _parsed(path.read_bytes, str(path))


def _parsed(content: Callable[[], bytes], where: str) -> Origin:
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


def write(origin: Origin, path: pathlib.Path) -> None:
    """Writes what `read` reads."""
    path.write_text(origin.model_dump_json(indent=1) + "\n", encoding="utf-8")
