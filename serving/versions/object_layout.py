"""Layout of versions on an object store: `<serving dir>/<model>/<version>/`, as in a folder.

A store cannot rename, so a version does not appear atomically. Its `saved_model.pb` is written
after everything else of the push, and a version without it is incomplete.
"""

import pathlib

from schema.storage import object_store
from serving.versions.local import is_version

GRAPH_FILE = "saved_model.pb"


def locate(serving: str, model: str, version: int) -> str:
    """URL of one version of one model."""
    return f"{serving}/{model}/{version}"


def list_models(serving: str) -> list[str]:
    """Names of the models that have at least one complete version, sorted."""
    return [name for name in object_store.list_folders(serving) if find_latest(serving, name)]


def list_started(serving: str, model: str) -> list[int]:
    """All versions of one model, complete or not, ascending."""
    names = object_store.list_folders(f"{serving}/{model}")
    return sorted(int(text) for text in names if is_version(text))


def list_incomplete(serving: str, model: str) -> list[int]:
    """Incomplete versions of one model above the latest complete one."""
    latest = find_latest(serving, model) or 0
    return [version for version in list_started(serving, model) if version > latest]


def find_latest(serving: str, model: str) -> int | None:
    """Highest complete version of one model, None if it has none."""
    descending = reversed(list_started(serving, model))
    return next((version for version in descending if is_complete(serving, model, version)), None)


def find_highest_started(serving: str) -> int:
    """Highest version of any model, complete or not, 0 if there is none. The number of an
    incomplete version is not reused: a server that failed to load it would ignore a later push.
    """
    by_model = (list_started(serving, name) for name in object_store.list_folders(serving))
    return max((version for versions in by_model for version in versions), default=0)


def is_complete(serving: str, model: str, version: int) -> bool:
    """Whether the version is complete."""
    return object_store.is_file(f"{locate(serving, model, version)}/{GRAPH_FILE}")


def fetch(serving: str, model: str, version: int, folder: pathlib.Path) -> None:
    """Copies one version to a local folder.

    Args:
        serving: URL of the serving directory.
        model: Name of the model.
        version: Version to copy.
        folder: Local folder to write.

    Raises:
        FileNotFoundError: The version is incomplete, or was removed during the copy: removal starts
            with the graph.
        OSError: The store cannot be read.
    """
    object_store.download(locate(serving, model, version), folder)
    if not is_complete(serving, model, version):
        raise FileNotFoundError(f"{locate(serving, model, version)} has no {GRAPH_FILE}")
