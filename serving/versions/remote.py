"""Versions of pushed models on an object store: `<serving dir>/<model>/<version>/` as in a folder.

A store renames nothing, so no version appears at once there. Its `saved_model.pb` makes it one:
that is written when all else of the push is there, and a version without it is none.
"""

import contextlib
import pathlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping

from schema.errors import TandemError
from schema.storage import object_store
from schema.storage.locations import is_remote
from serving.versions import claims as version_claims
from serving.versions import local as local_versions

_GRAPH = "saved_model.pb"


def models(serving: str) -> list[str]:
    """Names of the models that have at least one version, sorted."""
    return [name for name in object_store.list_folders(serving) if latest(serving, name)]


def latest(serving: str, name: str) -> int | None:
    """Highest version of one model, None where there is none."""
    begun = reversed(_begun(serving, name))
    return next((version for version in begun if _is_whole(serving, name, version)), None)


def incomplete(serving: str, name: str) -> list[int]:
    """Versions of one model that were begun after the latest, and are none yet."""
    newest = latest(serving, name) or 0
    return [version for version in _begun(serving, name) if version > newest]


def folder_of(serving: str, name: str, version: int) -> str:
    """Where one version of one model lies."""
    return f"{serving}/{name}/{version}"


def push(
    models: Mapping[str, pathlib.Path],
    serving: str,
    beside: Mapping[str, Mapping[str, pathlib.Path]] | None = None,
) -> dict[str, str]:
    """As `local.push`, to the URL `serving`. Others may push at the same moment: see `claims`.

    On OSError, or Ctrl-C, what was written is removed. What a kill has left is removed by a push of
    a later day; until then it may be that of a push under way.
    """
    try:
        with version_claims.claimed(serving, lambda: _highest_begun(serving)) as version:
            _remove_interrupted(serving, models)
            return _push(models, serving, version, beside or {})
    except OSError as error:
        raise TandemError(
            f"expected to copy a new version of {', '.join(models)} to {serving}, received "
            f"{error}; nothing was pushed and earlier versions are untouched: fix that and push "
            "again"
        ) from error


def fetch(serving: str, name: str, version: int, folder: pathlib.Path) -> None:
    """Copies one version into `folder`. Raises OSError where it cannot, FileNotFoundError for a
    version that is none, or was taken back meanwhile: then its graph has gone first.
    """
    object_store.download(folder_of(serving, name, version), folder)
    if not _is_whole(serving, name, version):
        raise FileNotFoundError(f"{folder_of(serving, name, version)} has no {_GRAPH}")


@contextlib.contextmanager
def local(serving: str, name: str, version: str) -> Iterator[pathlib.Path]:
    """A serving directory of this machine with that version of the model: `serving` itself where it
    is a path, a copy of that version alone where it is a URL.
    """
    if not is_remote(serving):
        yield pathlib.Path(serving)
        return
    with tempfile.TemporaryDirectory(prefix="tandem-") as copy:
        folder = pathlib.Path(copy)
        fetch(serving, name, int(version), local_versions.folder_of(folder, name, int(version)))
        yield folder


def _begun(serving: str, name: str) -> list[int]:
    """Numbers of all versions, whole or not, ascending."""
    found = object_store.list_folders(f"{serving}/{name}")
    return sorted(int(text) for text in found if local_versions.is_version(text))


def _highest_begun(serving: str) -> int:
    """Of any model, whole or not, 0 before the first: a server may have given up an interrupted
    version, and would not look at its number again.
    """
    begun = (_begun(serving, name) for name in object_store.list_folders(serving))
    return max((version for versions in begun for version in versions), default=0)


def _is_whole(serving: str, name: str, version: int) -> bool:
    return object_store.is_file(f"{folder_of(serving, name, version)}/{_GRAPH}")


def _push(
    models: Mapping[str, pathlib.Path],
    serving: str,
    version: int,
    beside: Mapping[str, Mapping[str, pathlib.Path]],
) -> dict[str, str]:
    final = {name: folder_of(serving, name, version) for name in models}
    done = False
    try:
        for name, source in models.items():
            object_store.upload(source, final[name], without=_GRAPH)
            for below, further in beside.get(name, {}).items():
                _upload(further, f"{final[name]}/{below}")
        for name, source in models.items():
            object_store.upload_file(source / _GRAPH, f"{final[name]}/{_GRAPH}")
        done = True
    finally:
        if not done:
            for folder in final.values():
                _remove(folder)
    return final


def _remove_interrupted(serving: str, names: Iterable[str]) -> None:
    """Versions are listed before claims, and looked at after them: one that was begun and has no
    claim then has ended, and is whole if it ended well.
    """
    begun = {name: _begun(serving, name) for name in names}
    under_way = version_claims.under_way(serving)
    for name, versions in begun.items():
        for version in versions:
            if version not in under_way and not _is_whole(serving, name, version):
                object_store.remove(folder_of(serving, name, version))
    version_claims.remove_old(serving)


def _remove(folder: str) -> None:
    """First what makes it a version."""
    object_store.remove(f"{folder}/{_GRAPH}")
    object_store.remove(folder)


def _upload(source: pathlib.Path, uri: str) -> None:
    if source.is_dir():
        object_store.upload(source, uri)
    else:
        object_store.upload_file(source, uri)
