"""Versions of pushed models on an object store: push, read and follow."""

import contextlib
import dataclasses
import pathlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping

from schema.errors import TandemError
from schema.storage import object_store
from serving.versions import object_layout
from serving.versions.claims import claim_version, list_claimed_versions, remove_old_claims
from serving.versions.mirror import mirror_serving_dir
from serving.versions.object_layout import GRAPH_FILE


@dataclasses.dataclass(frozen=True)
class RemoteVersionStore:
    """See `serving.versions.store.VersionStore`; `serving.versions.object_layout` defines which
    versions are complete.
    """

    url: str

    def find_latest(self, model: str) -> int | None:
        """Highest complete version of one model, None if it has none."""
        return object_layout.find_latest(self.url, model)

    def locate(self, model: str, version: int) -> str:
        """URL of one version of one model."""
        return object_layout.locate(self.url, model, version)

    def read_file(self, model: str, version: int, name: str) -> bytes:
        """Content of the object at `name` below a version; raises FileNotFoundError."""
        return object_store.read(f"{self.locate(model, version)}/{name}")

    def push(
        self,
        models: Mapping[str, pathlib.Path],
        extra: Mapping[str, Mapping[str, pathlib.Path]] | None = None,
    ) -> dict[str, str]:
        """Uploads a new version of all models, see `VersionStore.push` and `claims`.

        On OSError or Ctrl-C, everything written here is removed. Files left by a killed push are
        removed by a push on a later day; until then they may belong to a push in progress.
        """
        try:
            with claim_version(
                self.url, lambda: object_layout.find_highest_started(self.url)
            ) as version:
                _remove_interrupted(self.url, models)
                final = {name: self.locate(name, version) for name in models}
                _upload_version(models, final, extra or {})
                return final
        except OSError as error:
            raise TandemError(
                f"expected to copy a new version of {', '.join(models)} to {self.url}, received "
                f"{error}; nothing was pushed and earlier versions are untouched: fix that and "
                "push again"
            ) from error

    @contextlib.contextmanager
    def open_copy(self, model: str, version: int) -> Iterator[pathlib.Path]:
        """A serving directory with a copy of only this version."""
        with tempfile.TemporaryDirectory(prefix="tandem-") as name:
            folder = pathlib.Path(name)
            object_layout.fetch(self.url, model, version, folder / model / str(version))
            yield folder

    def follow(self) -> contextlib.AbstractContextManager[pathlib.Path]:
        """A local mirror, see `mirror_serving_dir`."""
        return mirror_serving_dir(self.url)


def _upload_version(
    models: Mapping[str, pathlib.Path],
    final: Mapping[str, str],
    extra: Mapping[str, Mapping[str, pathlib.Path]],
) -> None:
    """Writes all graphs last; on any failure removes everything written."""
    done = False
    try:
        for name, source in models.items():
            object_store.upload(source, final[name], without=[GRAPH_FILE])
            for below, path in extra.get(name, {}).items():
                _upload(path, f"{final[name]}/{below}")
        for name, source in models.items():
            object_store.upload_file(source / GRAPH_FILE, f"{final[name]}/{GRAPH_FILE}")
        done = True
    finally:
        if not done:
            for folder in final.values():
                _remove(folder)


def _remove_interrupted(serving: str, models: Iterable[str]) -> None:
    """Removes incomplete versions without a claim.

    Versions are listed before claims and checked after them: the push of a version that has no
    claim by then has ended, and succeeded if the version is complete.
    """
    by_model = {name: object_layout.list_started(serving, name) for name in models}
    claimed = list_claimed_versions(serving)
    for name, versions in by_model.items():
        for version in versions:
            if version not in claimed and not object_layout.is_complete(serving, name, version):
                object_store.remove(object_layout.locate(serving, name, version))
    remove_old_claims(serving)


def _remove(folder: str) -> None:
    """Removes the graph first, so that the version is incomplete from then on."""
    object_store.remove(f"{folder}/{GRAPH_FILE}")
    object_store.remove(folder)


def _upload(source: pathlib.Path, uri: str) -> None:
    if source.is_dir():
        object_store.upload(source, uri)
    else:
        object_store.upload_file(source, uri)
