"""A run's files at the root that it shares with others.

Tasks write below their own folders, so two runs at once have nothing in common until the end of
each. Then what is to lie at the root is copied there, the summary last: it is one object, and all
that it names lies among the run's own artifacts.
"""

import contextlib
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from pipeline.run_root import RunDirectory
from schema.storage import object_store
from schema.storage.locations import is_remote


@contextlib.contextmanager
def published(root: str) -> Iterator[RunDirectory]:
    """A directory of this machine, what was put into which is at `root`, a path or a URL, once the
    block has ended well. Of `rejected/`, `statistics/` and the curves of trainings nothing of an
    earlier run is left there.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-run-") as folder:
        at = RunDirectory(pathlib.Path(folder), root)
        yield at
        for old in (at.rejected, at.statistics, at.tensorboard / "retrieval",
                    at.tensorboard / "ranking"):  # fmt: skip
            _remove(f"{root}/{old.relative_to(at.root)}")
        for path in sorted(at.root.rglob("*"), key=lambda path: path == at.summary):
            if path.is_file():
                put(path, f"{root}/{path.relative_to(at.root)}")


def bring(place: str, folder: pathlib.Path) -> None:
    """Adds to `folder` what is below `place`, a path or a URL; nothing where nothing is there."""
    if is_remote(place):
        object_store.download(place, folder)
    elif pathlib.Path(place).is_dir():
        shutil.copytree(place, folder, dirs_exist_ok=True)


def put(path: pathlib.Path, place: str) -> None:
    """Copies one file, whole or not at all."""
    if is_remote(place):
        object_store.upload_file(path, place)
        return
    target = pathlib.Path(place)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".tmp-{target.name}")
    shutil.copyfile(path, unfinished)
    unfinished.rename(target)


def _remove(place: str) -> None:
    if is_remote(place):
        object_store.remove(place)
    else:
        shutil.rmtree(place, ignore_errors=True)
