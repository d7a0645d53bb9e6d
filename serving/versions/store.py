"""Versions of pushed models: one interface for a folder and for an object store."""

import contextlib
import pathlib
from collections.abc import Mapping
from typing import Protocol

from schema.storage.locations import is_remote
from serving.versions.local import LocalVersionStore
from serving.versions.remote import RemoteVersionStore


class VersionStore(Protocol):
    """A serving directory: `<location>/<model>/<version>/` holds one SavedModel."""

    def find_latest(self, model: str) -> int | None:
        """Highest complete version of one model, None if it has none."""
        ...

    def locate(self, model: str, version: int) -> str:
        """Path or URL of one version of one model."""
        ...

    def read_file(self, model: str, version: int, name: str) -> bytes:
        """Content of the file at `name` below a version; raises FileNotFoundError."""
        ...

    def push(
        self,
        models: Mapping[str, pathlib.Path],
        extra: Mapping[str, Mapping[str, pathlib.Path]] | None = None,
    ) -> dict[str, str]:
        """Copies the SavedModel of each name to the next version, the same number for all; all
        become visible or none does. Concurrent pushes get different versions.

        Args:
            models: Folder of each model's SavedModel.
            extra: Further files and folders of a model, by their path below its version.

        Returns:
            Path or URL of each model's version.

        Raises:
            TandemError: A file could not be read or written. Nothing was pushed, and earlier
                versions are untouched.
        """
        ...

    def open_copy(
        self, model: str, version: int
    ) -> contextlib.AbstractContextManager[pathlib.Path]:
        """A local serving directory with this version of the model, until the block ends."""
        ...

    def follow(self) -> contextlib.AbstractContextManager[pathlib.Path]:
        """A local serving directory with the latest version of each model, updated with later
        pushes until the block ends.

        Raises NoRunError if this is an object store and no model was pushed to it.
        """
        ...


def open_version_store(location: pathlib.Path | str) -> VersionStore:
    """The store at a path or a URL."""
    if is_remote(str(location)):
        return RemoteVersionStore(str(location))
    return LocalVersionStore(pathlib.Path(location))
