"""Exported servables, served before they are pushed."""

import contextlib
import pathlib
import tempfile
from collections.abc import Iterator

from schema.signatures import SERVABLES


@contextlib.contextmanager
def serving_dir(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """A serving directory whose version 1 of every model is what `folder` holds under its name; it
    is gone when the block ends.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-unpushed-") as served:
        for name in SERVABLES:
            target = pathlib.Path(served, name, "1")
            target.parent.mkdir()
            target.symlink_to((folder / name).resolve(), target_is_directory=True)
        yield pathlib.Path(served)
