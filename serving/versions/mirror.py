"""Mirrors a serving directory on an object store to a local folder that a server watches.

A copy is used instead of TensorFlow's remote file systems so that a model loads from complete local
files at the speed of the disk, and a response never waits for the store.
"""

import contextlib
import logging
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from schema.errors import NoRunError
from schema.storage import object_store
from serving.versions import object_layout
from serving.versions.local import LocalVersionStore
from serving.versions.polling import run_periodically

_log = logging.getLogger(__name__)
_POLL_SECONDS = 5.0
_VERSIONS_TO_KEEP = 2


@contextlib.contextmanager
def mirror_serving_dir(serving: str, poll_s: float = _POLL_SECONDS) -> Iterator[pathlib.Path]:
    """A local folder with the newest version of each model at the URL `serving`, updated until the
    block ends and then removed.

    A version appears only when its copy is complete. The last two versions of a model are kept.
    Raises NoRunError if no model was pushed, UsageError if the store cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-serving-") as name:
        folder = pathlib.Path(name)
        logged: set[str] = set()
        with object_store.translate_errors(serving):
            update_mirror(serving, folder, logged)
        if not LocalVersionStore(folder).list_models():
            raise NoRunError(
                f"expected pushed models in {serving}, found none; run `tandem run` with the same "
                "--root first"
            )
        with run_periodically(
            "follow-bucket", poll_s, lambda: _try_update(serving, folder, logged)
        ):
            yield folder


def update_mirror(serving: str, folder: pathlib.Path, logged: set[str] | None = None) -> None:
    """Copies the newest version of each model that `folder` does not have, and removes old ones.

    A newer version that is incomplete is logged once: its URL is added to `logged`.
    """
    _log_incomplete(serving, set() if logged is None else logged)
    copies: dict[pathlib.Path, pathlib.Path] = {}
    mirror = LocalVersionStore(folder)
    for name in object_layout.list_models(serving):
        version = object_layout.find_latest(serving, name)
        if version is None or version in mirror.list_versions(name):
            continue
        final = mirror.get_folder(name, version)
        copies[final] = final.with_name(f".tmp-{version}")
        shutil.rmtree(copies[final], ignore_errors=True)  # left by a failed update
        object_layout.fetch(serving, name, version, copies[final])
    for final, copy in copies.items():
        copy.rename(final)
        _log.info("copied %s", final.relative_to(folder))
        _remove_old(mirror, final.parent.name)


def _log_incomplete(serving: str, logged: set[str]) -> None:
    for name in object_store.list_folders(serving):
        for version in object_layout.list_incomplete(serving, name):
            uri = object_layout.locate(serving, name, version)
            if uri not in logged:
                logged.add(uri)
                _log.warning(
                    "%s is skipped: it has no saved_model.pb; a push is in progress, or was "
                    "interrupted",
                    uri,
                )


def _try_update(serving: str, folder: pathlib.Path, logged: set[str]) -> None:
    try:
        update_mirror(serving, folder, logged)
    except OSError as error:
        _log.warning("cannot list new versions at %s, will retry: %s", serving, error)


def _remove_old(mirror: LocalVersionStore, model: str) -> None:
    for version in mirror.list_versions(model)[:-_VERSIONS_TO_KEEP]:
        shutil.rmtree(mirror.get_folder(model, version))
