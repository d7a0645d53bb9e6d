"""Support for s3:// URLs in `tfx.dsl.io.fileio`, TFX's file access.

TFX uses TensorFlow for s3://, which needs tensorflow-io. A process that has written to S3 with the
last release of that package for this TensorFlow (0.37.1) aborts at exit.
"""

import io
from typing import Any

from pyarrow import fs
from tfx.dsl.io import filesystem, filesystem_registry

from schema.storage import object_store

_BEFORE_TENSORFLOW = -1


class S3Filesystem(filesystem.Filesystem):
    """The operations that TFX's launcher uses on folders of artifacts; others are missing."""

    SUPPORTED_SCHEMES = ["s3://"]

    @staticmethod
    def open(name: str, mode: str = "r") -> Any:
        """Opens a file for reading; raises NotImplementedError for other modes."""
        if mode not in ("r", "rb"):
            raise NotImplementedError(f"mode {mode} at {name}")
        content = object_store.read(name)
        return io.BytesIO(content) if mode == "rb" else io.StringIO(content.decode())

    @staticmethod
    def exists(path: str) -> bool:
        """Returns whether `path` is an object, a folder with objects, or a folder marker."""
        return _get_file_type(path) != fs.FileType.NotFound

    @staticmethod
    def isdir(path: str) -> bool:
        """Returns whether `path` is a folder with objects or a folder marker."""
        return _get_file_type(path) == fs.FileType.Directory

    @staticmethod
    def makedirs(path: str) -> None:
        """Creates a folder marker: an empty object whose name ends in a slash."""
        system, folder = object_store.open_store(path)
        system.create_dir(folder, recursive=True)

    @staticmethod
    def remove(path: str) -> None:
        """Removes an object."""
        object_store.remove(path)

    @staticmethod
    def rmtree(path: str) -> None:
        """Removes a folder; raises NotFoundError if it does not exist."""
        if not S3Filesystem.exists(path):
            raise filesystem.NotFoundError(path)
        object_store.remove(path)


def _get_file_type(path: str) -> Any:
    system, store_path = object_store.open_store(path)
    return system.get_file_info(store_path).type


def register() -> None:
    """Registers S3Filesystem with TFX in this process."""
    registry = filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY
    registry.register(S3Filesystem, _BEFORE_TENSORFLOW)
