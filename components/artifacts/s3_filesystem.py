"""TFX's own file access, `tfx.dsl.io.fileio`, at s3:// URLs.

TFX leaves s3:// to TensorFlow, which knows it through tensorflow-io alone, and a process in which
that package's last release for our TensorFlow (0.37.1) has written to S3 is aborted when it ends.
"""

import io
from typing import Any

from pyarrow import fs
from tfx.dsl.io import filesystem, filesystem_registry

from schema.storage import object_store

_BEFORE_TENSORFLOW = -1


class S3Filesystem(filesystem.Filesystem):
    """What TFX's launcher does with the folders of artifacts; nothing else is implemented."""

    SUPPORTED_SCHEMES = ["s3://"]

    @staticmethod
    def open(name: str, mode: str = "r") -> Any:
        """For reading alone."""
        if mode not in ("r", "rb"):
            raise NotImplementedError(f"mode {mode} at {name}")
        content = object_store.read(name)
        return io.BytesIO(content) if mode == "rb" else io.StringIO(content.decode())

    @staticmethod
    def exists(path: str) -> bool:
        """Whether it is an object, or a folder that was made or holds one."""
        return _get_file_type(path) != fs.FileType.NotFound

    @staticmethod
    def isdir(path: str) -> bool:
        """Whether it is such a folder."""
        return _get_file_type(path) == fs.FileType.Directory

    @staticmethod
    def makedirs(path: str) -> None:
        """Leaves an object of no bytes whose name ends in a slash, by which the folder exists."""
        system, folder = object_store.open_store(path)
        system.create_dir(folder, recursive=True)

    @staticmethod
    def remove(path: str) -> None:
        """An object."""
        object_store.remove(path)

    @staticmethod
    def rmtree(path: str) -> None:
        """Raises NotFoundError where there is no such folder."""
        if not S3Filesystem.exists(path):
            raise filesystem.NotFoundError(path)
        object_store.remove(path)


def _get_file_type(path: str) -> Any:
    system, place = object_store.open_store(path)
    return system.get_file_info(place).type


def register() -> None:
    """Has TFX of this process use it."""
    registry = filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY
    registry.register(S3Filesystem, _BEFORE_TENSORFLOW)
