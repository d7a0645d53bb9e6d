"""A folder of checkpoints that outlives the machine, where it is to lie on an object store."""

import pathlib
import tempfile

from schema.storage import object_store
from schema.storage.locations import is_remote

_LATEST = "checkpoint"
"""TensorFlow's name for the file that says which checkpoint is the latest."""


class KeptFolder:
    """`path` is where TensorFlow reads and writes: the folder itself, or a copy of what is at the
    URL.
    """

    def __init__(self, place: str) -> None:
        """Copies what is there."""
        self._place = place
        self.path = place
        if is_remote(place):
            self._copy = tempfile.TemporaryDirectory(prefix="tandem-")
            self.path = self._copy.name
            object_store.download(place, pathlib.Path(self.path))

    def save(self) -> None:
        """Brings the URL to what the folder holds: an interruption leaves the former or the new
        checkpoint, for the file that says which one it is comes after those that it names.
        """
        if self.path == self._place:
            return
        here = {path: str(path.relative_to(self.path)) for path in self._files()}
        there = set(object_store.list_files(self._place))
        for path, name in here.items():
            if name not in there or path.name == _LATEST:
                object_store.upload_file(path, f"{self._place}/{name}")
        for name in there - set(here.values()):
            object_store.remove(f"{self._place}/{name}")

    def _files(self) -> list[pathlib.Path]:
        files = (path for path in pathlib.Path(self.path).rglob("*") if path.is_file())
        return sorted(files, key=lambda path: (path.name == _LATEST, path))
