"""A serving directory on an object store, followed by one on this machine that a server watches.

Why a copy, and not TensorFlow's own access: a model loads from whole files of this machine, at the
speed of its disk, and an answer never waits for the store.
"""

import contextlib
import logging
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from schema.errors import NoRunError
from schema.storage import object_store
from schema.storage.locations import is_remote
from serving.versions import local as local_versions
from serving.versions import remote as remote_versions
from serving.versions.polling import run_periodically

_log = logging.getLogger(__name__)
_POLL_SECONDS = 5.0
_VERSIONS_TO_KEEP = 2


def open_serving_dir(serving: str) -> contextlib.AbstractContextManager[pathlib.Path]:
    """The serving directory at a path, or a mirror of the one at a URL."""
    if is_remote(serving):
        return mirror_serving_dir(serving)
    return contextlib.nullcontext(pathlib.Path(serving))


@contextlib.contextmanager
def mirror_serving_dir(serving: str, poll_s: float = _POLL_SECONDS) -> Iterator[pathlib.Path]:
    """A folder with the newest version of each model at the URL `serving`, and with those that
    follow until the block ends; it is gone then.

    A version appears in it whole. The last two of a model are kept. Raises NoRunError where nothing
    was ever pushed, UsageError where the store cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-serving-") as name:
        folder = pathlib.Path(name)
        told: set[str] = set()
        with object_store.translate_errors(serving):
            update_mirror(serving, folder, told)
        if not local_versions.models(folder):
            raise NoRunError(
                f"expected pushed models in {serving}, found none; run `tandem run` with the same "
                "--root first"
            )
        with run_periodically("follow-bucket", poll_s, lambda: _try_update(serving, folder, told)):
            yield folder


def update_mirror(serving: str, folder: pathlib.Path, told: set[str] | None = None) -> None:
    """Copies the newest version of each model that `folder` does not have, and removes old ones.

    A newer one that is not whole is named in the log, unless `told` has it, and put into that.
    """
    _log_incomplete(serving, set() if told is None else told)
    copies: dict[pathlib.Path, pathlib.Path] = {}
    for name in remote_versions.models(serving):
        version = remote_versions.latest(serving, name)
        if version is None or version in local_versions.versions(folder, name):
            continue
        final = local_versions.folder_of(folder, name, version)
        copies[final] = final.with_name(f".tmp-{version}")
        shutil.rmtree(copies[final], ignore_errors=True)  # of an update that failed
        remote_versions.fetch(serving, name, version, copies[final])
    for final, copy in copies.items():
        copy.rename(final)
        _log.info("copied %s", final.relative_to(folder))
        _remove_old(folder, final.parent.name)


def _log_incomplete(serving: str, told: set[str]) -> None:
    for name in object_store.list_folders(serving):
        for version in remote_versions.incomplete(serving, name):
            uri = remote_versions.folder_of(serving, name, version)
            if uri not in told:
                told.add(uri)
                _log.warning(
                    "%s is passed over: it has no saved_model.pb; a push is under way, or was "
                    "broken off",
                    uri,
                )


def _try_update(serving: str, folder: pathlib.Path, told: set[str]) -> None:
    try:
        update_mirror(serving, folder, told)
    except OSError as error:
        _log.warning("cannot look for new versions at %s, trying again: %s", serving, error)


def _remove_old(folder: pathlib.Path, name: str) -> None:
    for version in local_versions.versions(folder, name)[:-_VERSIONS_TO_KEEP]:
        shutil.rmtree(local_versions.folder_of(folder, name, version))
